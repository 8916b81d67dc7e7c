//! The old profile beside the new one: what is the same, what would be cut, what would be lost, and what is carried over
//! when the person wants it. Pure; what comes of it is done by [`Carry`](crate::job::profile::Carry).

use crate::account::Domain;
use crate::job::profile::change::{What, Which};
use crate::say::{Part, Say, say};
use crate::server::length;
use crate::server::profile::{Flag, Limits, Picture, Profile, Tag};

/// One thing of a profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    Name,
    Note,
    /// A line of the old account's table.
    Field(usize),
    Picture(Which),
    Flag(Flag),
    Tag(String),
}

impl Item {
    /// Stands in `data-item`.
    pub fn id(&self) -> String {
        match self {
            Item::Name => "name".into(),
            Item::Note => "note".into(),
            Item::Field(at) => format!("field-{at}"),
            Item::Picture(which) => which.id().into(),
            Item::Flag(flag) => flag.field().into(),
            Item::Tag(name) => format!("tag-{}", name.to_lowercase()),
        }
    }

    /// What it is called.
    pub fn name(&self) -> Say {
        match self {
            Item::Name => say("profile_item_name"),
            Item::Note => say("profile_item_note"),
            Item::Field(_) => say("profile_item_field"),
            Item::Picture(Which::Avatar) => say("profile_item_avatar"),
            Item::Picture(Which::Header) => say("profile_item_header"),
            Item::Flag(Flag::Bot) => say("profile_item_bot"),
            Item::Flag(Flag::Discoverable) => say("profile_item_discoverable"),
            Item::Flag(Flag::Indexable) => say("profile_item_indexable"),
            Item::Flag(Flag::HideCollections) => say("profile_item_hide_collections"),
            Item::Tag(name) => say("profile_item_tag").with(format!("#{name}").as_str()),
        }
    }
}

/// What an account has there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    None,
    Text(String),
    Field(String, String),
    Flag(bool),
    Picture(Picture),
    Tag,
}

/// An item on both accounts.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    pub item: Item,
    pub old: Value,
    pub new: Value,
    pub same: bool,
    /// The new server has no such thing.
    pub barred: bool,
    /// What would arrive, where it is less than there is.
    pub cut: Option<Value>,
    /// What the person should know before they choose.
    pub remarks: Vec<Say>,
    /// Carried over unless the person says otherwise: only where nothing is there yet.
    pub chosen: bool,
}

/// One end of it, as far as it was read.
#[derive(Clone, Copy, Debug)]
pub struct End<'a> {
    pub profile: &'a Profile,
    /// Of its web pages.
    pub host: &'a Domain,
    pub tags: Option<&'a [Tag]>,
    pub limits: &'a Limits,
    /// `None`: it is not known which custom emoji the server has.
    pub emojis: Option<&'a [String]>,
}

fn same_text(one: &str, other: &str) -> bool {
    one.trim() == other.trim()
}

fn listed(all: &[String]) -> Part {
    Part::Text(all.join(", "))
}

/// Everything that the old account has, beside what the new one has there.
pub fn compare(old: End, new: End) -> Vec<Line> {
    let mut lines = Vec::new();
    let text_value = |text: &str| if text.is_empty() { Value::None } else { Value::Text(text.to_owned()) };
    for (item, own, other, most) in [
        (Item::Name, &old.profile.name, &new.profile.name, new.limits.name),
        (Item::Note, &old.profile.note, &new.profile.note, new.limits.note),
    ] {
        if own.trim().is_empty() {
            continue;
        }
        let fits = match item {
            Item::Name => length::cut_plain(own, most),
            _ => length::cut(own, most, new.limits.url),
        };
        let mut line = line(item, text_value(own), text_value(other));
        line.same = same_text(own, other) || same_text(fits, other);
        if fits != own {
            line.cut = Some(Value::Text(fits.to_owned()));
            line.remarks.push(say("profile_cut").with(most));
        }
        line.remarks.extend(about_text(fits, old, new));
        lines.push(line);
    }
    lines.extend(fields(old, new));
    for which in [Which::Avatar, Which::Header] {
        lines.extend(picture(which, old.profile, new));
    }
    for flag in Flag::ALL {
        let Some(Some(own)) = old.profile.flag(flag) else { continue };
        let other = new.profile.flag(flag);
        let mut line = line(Item::Flag(flag), Value::Flag(own), Value::None);
        match other {
            None => {
                line.barred = true;
                line.remarks.push(say("profile_no_such_thing").with(new.host));
            }
            Some(other) => {
                line.new = other.map_or(Value::None, Value::Flag);
                line.same = other.unwrap_or(false) == own;
                // Off is how every account begins. Being called a bot, and showing less, harms nobody; being found is for
                // the person to say.
                let harmless = matches!(flag, Flag::Bot | Flag::HideCollections);
                line.chosen = !line.same && own && (other.is_none() || harmless);
            }
        }
        lines.push(line);
    }
    lines.extend(tags(old, new));
    for line in &mut lines {
        if !line.same && !line.barred && line.new == Value::None && !matches!(line.old, Value::Flag(_)) {
            line.chosen = true;
        }
    }
    // No more lines of the table than there is room for.
    let mut chosen = chosen_of(&lines);
    while over(old, new, &chosen) > 0 {
        let Some(last) =
            lines.iter_mut().rev().find(|line| line.chosen && matches!(line.item, Item::Field(_)))
        else {
            break;
        };
        last.chosen = false;
        last.remarks.push(say("profile_no_room").with(new.limits.fields));
        chosen = chosen_of(&lines);
    }
    lines
}

fn chosen_of(lines: &[Line]) -> Vec<Item> {
    lines.iter().filter(|line| line.chosen).map(|line| line.item.clone()).collect()
}

fn line(item: Item, old: Value, new: Value) -> Line {
    Line { item, old, new, same: false, barred: false, cut: None, remarks: Vec::new(), chosen: false }
}

/// What of a text means something else on the new server.
fn about_text(text: &str, old: End, new: End) -> Vec<Say> {
    let mut remarks = Vec::new();
    let known = |code: &&str| old.profile.emojis.iter().any(|emoji| emoji == code);
    let codes: Vec<&str> = length::shortcodes(text).into_iter().filter(known).collect();
    let lacks = |code: &&&str| new.emojis.is_some_and(|emojis| !emojis.iter().any(|emoji| emoji == **code));
    let lacking: Vec<String> = codes.iter().filter(lacks).map(|code| format!(":{code}:")).collect();
    if !lacking.is_empty() {
        remarks.push(say("profile_emoji").with(new.host).with(listed(&lacking)));
    } else if new.emojis.is_none() && !codes.is_empty() {
        remarks.push(say("profile_emoji_unknown").with(new.host));
    }
    let handle = &old.profile.handle;
    let mentions = length::mentions(text);
    let linked = old.profile.url.as_deref().is_some_and(|url| text.contains(url));
    if linked || length::names(text, handle) {
        remarks.push(say("profile_names_old").with(handle));
    }
    let local: Vec<String> =
        mentions.iter().filter(|mention| !mention.contains('@')).map(|name| format!("@{name}")).collect();
    if !local.is_empty() && old.host != new.host {
        remarks.push(say("profile_local_mention").with(new.host).with(listed(&local)));
    }
    remarks
}

/// Which line of the new table an old one would take the place of.
fn place(name: &str, fields: &[(String, String)]) -> Option<usize> {
    let name = name.trim().to_lowercase();
    fields.iter().position(|(own, _)| own.trim().to_lowercase() == name)
}

fn table(profile: &Profile) -> Vec<(String, String)> {
    profile.fields.iter().map(|field| (field.name.clone(), field.value.clone())).collect()
}

fn fields(old: End, new: End) -> Vec<Line> {
    let there = table(new.profile);
    let mut lines = Vec::new();
    for (at, field) in old.profile.fields.iter().enumerate() {
        let own = Value::Field(field.name.clone(), field.value.clone());
        let other = place(&field.name, &there).map(|at| there[at].clone());
        let (name, value) = fitting(&field.name, &field.value, new.limits);
        let same = other
            .as_ref()
            .is_some_and(|(_, other)| same_text(other, &field.value) || same_text(other, &value));
        let mut line =
            line(Item::Field(at), own, other.map_or(Value::None, |(name, value)| Value::Field(name, value)));
        line.same = same;
        if name != field.name || value != field.value {
            let most = if value == field.value { new.limits.field_name } else { new.limits.field_value };
            line.remarks.push(say("profile_cut").with(most));
            line.cut = Some(Value::Field(name, value.clone()));
        }
        if field.verified {
            line.remarks.push(say("profile_verify").with(new.host));
        }
        line.remarks.extend(about_text(&value, old, new));
        lines.push(line);
    }
    lines
}

/// Longer ones are cut by the server without a word (facts 13.2): better here, where it is seen.
fn fitting(name: &str, value: &str, limits: &Limits) -> (String, String) {
    (
        length::cut_plain(name, limits.field_name).to_owned(),
        length::cut_plain(value, limits.field_value).to_owned(),
    )
}

fn picture(which: Which, old: &Profile, new: End) -> Option<Line> {
    let (own, other) = (which.of(old), which.of(new.profile));
    own.url.as_ref()?;
    let value = |picture: &Picture| match picture.url {
        Some(_) => Value::Picture(picture.clone()),
        None => Value::None,
    };
    let mut line = line(Item::Picture(which), value(own), value(other));
    let words = own.words.as_deref().unwrap_or_default();
    if !words.is_empty() {
        if other.words.is_none() {
            line.remarks.push(say("profile_no_words").with(new.host));
        } else if length::cut_plain(words, new.limits.words) != words {
            line.remarks.push(say("profile_cut").with(new.limits.words));
        }
    }
    if other.url.is_some() {
        // Servers make files of their own of what they are given: whether it is the same picture, only eyes can tell.
        line.remarks.push(say("profile_look_yourself"));
    }
    Some(line)
}

fn tags(old: End, new: End) -> Vec<Line> {
    let (Some(own), Some(other)) = (old.tags, new.tags) else { return Vec::new() };
    let has = |name: &str| other.iter().any(|tag| tag.name.to_lowercase() == name.to_lowercase());
    let mut room = new.limits.tags.saturating_sub(other.len());
    let mut lines = Vec::new();
    for tag in own {
        let same = has(&tag.name);
        let mut line =
            line(Item::Tag(tag.name.clone()), Value::Tag, if same { Value::Tag } else { Value::None });
        line.same = same;
        if !same {
            line.barred = room == 0;
            room = room.saturating_sub(1);
            if line.barred {
                line.remarks.push(say("profile_no_room_tags").with(new.limits.tags));
            }
        }
        lines.push(line);
    }
    lines
}

/// The new account's table with what was chosen of the old one.
fn merged(old: End, new: End, chosen: &[Item]) -> Vec<(String, String)> {
    let mut all = table(new.profile);
    for (at, field) in old.profile.fields.iter().enumerate() {
        if !chosen.contains(&Item::Field(at)) {
            continue;
        }
        let own = fitting(&field.name, &field.value, new.limits);
        match place(&field.name, &all) {
            Some(place) => all[place] = own,
            None => all.push(own),
        }
    }
    all
}

/// So many lines of the table are too many.
pub fn over(old: End, new: End, chosen: &[Item]) -> usize {
    // What is there already may be more than we believe is allowed.
    let most = new.limits.fields.max(new.profile.fields.len());
    merged(old, new, chosen).len().saturating_sub(most)
}

/// What is to be done for what was chosen, in the order in which it is shown.
pub fn changes(old: End, new: End, lines: &[Line], chosen: &[Item]) -> Vec<What> {
    let mut changes = Vec::new();
    let mut fields = false;
    for line in lines.iter().filter(|line| !line.same && !line.barred && chosen.contains(&line.item)) {
        match (&line.item, line.cut.as_ref().unwrap_or(&line.old)) {
            (Item::Name, Value::Text(text)) => changes.push(What::Name(text.clone())),
            (Item::Note, Value::Text(text)) => changes.push(What::Note(text.clone())),
            (Item::Field(_), _) if !fields => {
                fields = true;
                changes.push(What::Fields(merged(old, new, chosen)));
            }
            (Item::Flag(flag), Value::Flag(on)) => changes.push(What::Flag(*flag, *on)),
            (Item::Picture(which), Value::Picture(picture)) => {
                let words = which.of(new.profile).words.as_ref().map(|_| {
                    let words = picture.words.as_deref().unwrap_or_default();
                    length::cut_plain(words, new.limits.words).to_owned()
                });
                changes.push(What::Picture { which: *which, url: picture.url.clone(), words });
            }
            (Item::Tag(name), _) => changes.push(What::Tag { name: name.clone(), on: true }),
            _ => {}
        }
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::profile::Field;

    fn domain(text: &str) -> Domain {
        text.parse().unwrap()
    }

    fn blank(handle: &str) -> Profile {
        Profile {
            id: "1".into(),
            handle: handle.parse().unwrap(),
            url: Some(format!("https://{}/@ana", handle.split('@').next_back().unwrap())),
            name: String::new(),
            note: String::new(),
            fields: Vec::new(),
            avatar: Picture::default(),
            header: Picture::default(),
            flags: vec![(Flag::Bot, Some(false)), (Flag::Discoverable, None)],
            locked: Some(false),
            follow_requests: Some(0),
            emojis: Vec::new(),
        }
    }

    fn field(name: &str, value: &str) -> Field {
        Field { name: name.into(), value: value.into(), verified: false }
    }

    struct Pair {
        old: Profile,
        new: Profile,
        old_tags: Vec<Tag>,
        new_tags: Vec<Tag>,
        limits: Limits,
        emojis: Option<Vec<String>>,
    }

    impl Pair {
        fn new() -> Pair {
            Pair {
                old: blank("ana@old.example"),
                new: blank("ana@new.example"),
                old_tags: Vec::new(),
                new_tags: Vec::new(),
                limits: Limits::of(None),
                emojis: Some(Vec::new()),
            }
        }

        fn with<T>(&self, f: impl FnOnce(End, End) -> T) -> T {
            let (old_host, new_host) = (domain("old.example"), domain("new.example"));
            let limits = &self.limits;
            let old =
                End { profile: &self.old, host: &old_host, tags: Some(&self.old_tags), limits, emojis: None };
            let emojis = self.emojis.as_deref();
            let new = End { profile: &self.new, host: &new_host, tags: Some(&self.new_tags), limits, emojis };
            f(old, new)
        }

        fn lines(&self) -> Vec<Line> {
            self.with(compare)
        }

        fn changes(&self, chosen: &[Item]) -> Vec<What> {
            self.with(|old, new| changes(old, new, &compare(old, new), chosen))
        }
    }

    fn keys(line: &Line) -> Vec<&str> {
        line.remarks.iter().map(|say| say.key.as_str()).collect()
    }

    #[test]
    fn an_empty_profile_gets_everything_and_a_full_one_nothing_unasked() {
        let mut pair = Pair::new();
        pair.old.name = "Ana".into();
        pair.old.note = "hi".into();
        pair.old.fields = vec![field("web", "https://ana.example"), field("pronouns", "she")];
        pair.old.avatar.url = Some("https://old.example/a.png".into());
        pair.old.flags = vec![(Flag::Bot, Some(true)), (Flag::Discoverable, Some(true))];
        pair.old_tags = vec![Tag { id: "1".into(), name: "cats".into() }];
        let lines = pair.lines();
        assert!(lines.iter().all(|line| line.chosen && !line.same), "{lines:#?}");
        let chosen = chosen_of(&lines);
        let ids: Vec<String> = pair.changes(&chosen).iter().map(What::id).collect();
        assert_eq!(ids, ["name", "note", "fields", "avatar", "bot", "discoverable", "tag-cats"]);

        pair.new.name = "Someone".into();
        pair.new.note = "else".into();
        pair.new.fields = vec![field("Web", "https://other.example")];
        pair.new.avatar.url = Some("https://new.example/b.png".into());
        pair.new.flags = vec![(Flag::Bot, Some(true)), (Flag::Discoverable, Some(false))];
        pair.new_tags = vec![Tag { id: "1".into(), name: "Cats".into() }];
        let chosen: Vec<String> = chosen_of(&pair.lines()).iter().map(Item::id).collect();
        assert_eq!(chosen, ["field-1"], "what is there is left as it is");
    }

    #[test]
    fn a_line_of_the_table_takes_the_place_of_its_namesake() {
        let mut pair = Pair::new();
        pair.old.fields = vec![field("web ", "https://ana.example"), field("c", "d")];
        pair.new.fields = vec![field("a", "b"), field("Web", "https://other.example")];
        let own = |pairs: &[(&str, &str)]| {
            What::Fields(pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect())
        };
        assert_eq!(
            pair.changes(&[Item::Field(0), Item::Field(1)]),
            [own(&[("a", "b"), ("web ", "https://ana.example"), ("c", "d")])]
        );
        assert_eq!(
            pair.changes(&[Item::Field(1)]),
            [own(&[("a", "b"), ("Web", "https://other.example"), ("c", "d")])]
        );
        assert_eq!(pair.changes(&[]), []);
    }

    #[test]
    fn no_more_lines_than_there_is_room_for() {
        let mut pair = Pair::new();
        pair.old.fields = ["a", "b", "c", "d", "e", "f"].map(|name| field(name, "x")).to_vec();
        pair.new.fields = vec![field("z", "x")];
        let lines = pair.lines();
        assert_eq!(chosen_of(&lines).len(), 3);
        assert_eq!(keys(&lines[5]), ["profile_no_room"]);
        let all: Vec<Item> = (0..6).map(Item::Field).collect();
        assert_eq!(pair.with(|old, new| over(old, new, &all)), 3);
    }

    #[test]
    fn says_what_would_be_cut_and_cuts_it_itself() {
        let mut pair = Pair::new();
        pair.old.name = "x".repeat(35);
        pair.old.note = format!("{} end", "y".repeat(498));
        pair.old.fields = vec![field("web", &"z".repeat(300))];
        pair.old.header =
            Picture { url: Some("https://old.example/h.png".into()), words: Some("w".repeat(160)) };
        pair.new.header.words = Some(String::new());
        let lines = pair.lines();
        for line in lines.iter().filter(|line| !line.same) {
            assert!(keys(line).contains(&"profile_cut"), "{line:#?}");
        }
        let changes = pair.changes(&chosen_of(&lines));
        assert_eq!(changes[0], What::Name("x".repeat(30)));
        assert_eq!(changes[1], What::Note(format!("{} e", "y".repeat(498))));
        assert_eq!(changes[2], What::Fields(vec![("web".into(), "z".repeat(255))]));
        let What::Picture { words: Some(words), .. } = &changes[3] else { panic!("{changes:?}") };
        assert_eq!(words.len(), 150);
        // Once it is there as far as it fits, it is the same.
        pair.new.name = "x".repeat(30);
        assert!(pair.lines()[0].same);
    }

    #[test]
    fn says_what_means_something_else_on_the_new_server() {
        let mut pair = Pair::new();
        pair.old.emojis = vec!["cat".into(), "dog".into()];
        pair.old.name = "Ana :cat:".into();
        pair.old.note = "friend of @ben, also @ana@old.example, :dog: at 10:30:15".into();
        pair.old.fields = vec![Field { verified: true, ..field("me", "https://old.example/@ana") }];
        pair.emojis = Some(vec!["cat".into()]);
        let lines = pair.lines();
        assert_eq!(keys(&lines[0]), Vec::<&str>::new());
        assert_eq!(keys(&lines[1]), ["profile_emoji", "profile_names_old", "profile_local_mention"]);
        assert_eq!(keys(&lines[2]), ["profile_verify", "profile_names_old"]);
        pair.emojis = None;
        assert_eq!(keys(&pair.lines()[0]), ["profile_emoji_unknown"]);
    }

    #[test]
    fn what_the_new_server_does_not_have_is_not_offered() {
        let mut pair = Pair::new();
        pair.old.flags = vec![(Flag::Indexable, Some(true)), (Flag::Bot, Some(false))];
        pair.old.avatar = Picture { url: Some("https://old.example/a.png".into()), words: Some("me".into()) };
        let lines = pair.lines();
        assert_eq!(keys(&lines[0]), ["profile_no_words"]);
        assert!(lines[1].same && !lines[1].chosen, "not a bot is what everybody is");
        assert!(lines[2].barred && !lines[2].chosen);
        assert_eq!(pair.changes(&[Item::Flag(Flag::Indexable)]), []);
        pair.old_tags = (0..12).map(|n| Tag { id: n.to_string(), name: format!("tag{n}") }).collect();
        let barred = pair.lines().iter().filter(|line| keys(line) == ["profile_no_room_tags"]).count();
        assert_eq!(barred, 2);
    }
}
