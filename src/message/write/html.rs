//! `messages.html`: all messages on one page that opens anywhere, runs nothing and asks nobody for anything.
//!
//! That it asks nobody holds twice. Everything in it is written by us, element by element; and the policy at its top allows
//! our own style and files that lie beside it, so that a browser would refuse the rest. (`'self'` and `file:` are the same
//! for a page that was opened from a disk, in Chromium 156 and Firefox 153; `'self'` is there for one that a server gives.)

use super::super::body::{Body, address, clean, escape, one_line};
use super::super::thread::{Joint, Note, Placed};
use super::page::{Head, In, STYLE, escaped, head, joined, sentence, tag};
use super::{Files, Message, Saved, Step, file_of, kind, part, reason};
use crate::say::{Say, say};
use crate::server::history::Version;
use crate::server::status::{Attachment, Emoji, Poll};
use crate::small::{find, ordered};
use crate::when::Time;

/// How many names are listed before the rest is only counted.
const NAMES: usize = 8;

/// What is said at the top of the page.
#[derive(Clone, Debug, Default)]
pub struct About {
    /// When the messages were saved.
    pub at: Time,
    /// Sentences that have to be said, such as what may be missing.
    pub remarks: Vec<String>,
    /// How many records follow as [`Page::unreadable`].
    pub unreadable: usize,
}

/// The page, piece by piece.
#[derive(Debug)]
pub struct Page<'a> {
    saved: &'a Saved<'a>,
}

/// What shows a message or one of its versions.
struct Shown<'a> {
    content: &'a str,
    warning: &'a str,
    attachments: &'a [Attachment],
    emojis: &'a [Emoji],
    poll: Option<&'a Poll>,
    language: Option<&'a str>,
}

impl<'a> Page<'a> {
    pub fn new(saved: &'a Saved<'a>) -> Page<'a> {
        Page { saved }
    }

    /// All steps, in order. At [`Step::Message`] comes [`Page::message`], at all others [`Page::piece`]; before
    /// [`Step::End`], the records that are no statuses ([`Page::unreadable`]).
    pub fn steps(&self) -> impl Iterator<Item = Step> + '_ {
        let conversations = self.saved.conversations.iter().enumerate().flat_map(|(conversation, all)| {
            let threads =
                all.threads.iter().enumerate().flat_map(move |(thread, all)| {
                    let messages = all.messages.iter().enumerate().map(move |(message, placed)| {
                        Step::Message { conversation, thread, message, note: placed.note }
                    });
                    [Step::Thread(conversation, thread)].into_iter().chain(messages).chain([Step::ThreadEnd])
                });
            [Step::Conversation(conversation)].into_iter().chain(threads).chain([Step::ConversationEnd])
        });
        [Step::Head].into_iter().chain(conversations).chain([Step::End])
    }

    pub fn piece(&self, step: Step, about: &About) -> String {
        match step {
            Step::Head => self.head(about),
            Step::Conversation(at) => self.conversation(at),
            Step::Thread(conversation, thread) => self.thread(conversation, thread),
            Step::Message { .. } => String::new(),
            Step::ThreadEnd | Step::ConversationEnd => "</section>\n".to_owned(),
            Step::End => {
                let note = self.words("written_page_note");
                let close = if about.unreadable > 0 { "</section>\n" } else { "" };
                format!("{close}</main>\n<footer><p>{note}</p></footer>\n</body>\n</html>\n")
            }
        }
    }

    fn head(&self, about: &About) -> String {
        let saved = self.saved;
        let title = saved.speak(&say("written_title").with(saved.handle(saved.owner).as_str()));
        let heading = self.sentence("written_title", vec![In::Html(self.who(saved.owner))]);
        let mut out = head(&Head {
            language: &saved.speak(&say("language")),
            title: &title,
            styles: &[STYLE],
            // Files that lie beside the page.
            policy: "img-src 'self' file:; media-src 'self' file:; ",
        });
        out.push_str(&format!("<header>\n<h1>{heading}</h1>\n"));
        let messages: usize = saved.conversations.iter().map(|c| c.sent + c.received).sum();
        let facts = [
            self.sentence("written_messages", vec![In::Number(messages)]),
            self.sentence("written_conversations", vec![In::Number(saved.conversations.len())]),
            self.span(saved.notes.iter()),
            self.sentence("written_saved_at", vec![In::Html(self.time(about.at))]),
        ];
        out.push_str(&format!("<p class=\"facts\">{}</p>\n", joined(&facts)));
        out.push_str(&format!("<p class=\"facts\">{}</p>\n", self.words("written_times")));
        for remark in &about.remarks {
            out.push_str("<p class=\"remark\">");
            escape(&clean(remark), &mut out);
            out.push_str("</p>\n");
        }
        if about.unreadable > 0 {
            let link = self.sentence("written_unreadables", vec![In::Number(about.unreadable)]);
            out.push_str(&format!("<p class=\"remark\"><a href=\"#unreadable\">{link}</a></p>\n"));
        }
        out.push_str("</header>\n");
        self.index(&mut out);
        out.push_str("<main>\n");
        out
    }

    /// Everybody, with links to wherever they take part.
    fn index(&self, out: &mut String) {
        let saved = self.saved;
        /// What stands under a person.
        #[derive(Clone, Default)]
        struct Entry {
            own: Vec<usize>,
            /// Conversations into which they were brought: how many messages, and the first of them.
            brought: Vec<(usize, usize, usize)>,
        }
        let mut people = vec![Entry::default(); saved.people.len()];
        let mut alone = Vec::new();
        for (at, conversation) in saved.conversations.iter().enumerate() {
            for who in &conversation.people {
                if let Some(entry) = people.get_mut(*who as usize) {
                    entry.own.push(at);
                }
            }
            if conversation.people.is_empty() {
                alone.push(at);
            }
            for placed in conversation.threads.iter().flat_map(|thread| &thread.messages) {
                let Some(note) = saved.notes.get(placed.note).filter(|note| !note.public) else { continue };
                for who in brought_in(note, &conversation.people, saved.owner) {
                    let Some(Entry { brought, .. }) = people.get_mut(who as usize) else { continue };
                    match brought.last_mut().filter(|(last, ..)| *last == at) {
                        Some((_, count, _)) => *count += 1,
                        None => brought.push((at, 1, placed.note)),
                    }
                }
            }
        }
        let mut order: Vec<(String, String, u32)> = Vec::new();
        for (who, entry) in (0..).zip(&people) {
            if !entry.own.is_empty() || !entry.brought.is_empty() {
                order.push((saved.name(who).to_lowercase(), saved.handle(who), who));
            }
        }
        let order = ordered(order, &|left, right| left.cmp(right));
        out.push_str(&format!(
            "<nav aria-labelledby=\"people\">\n<h2 id=\"people\">{}</h2>\n<ul>\n",
            self.words("written_people")
        ));
        for who in order.iter().map(|(.., who)| *who) {
            let Some(entry) = people.get(who as usize) else { continue };
            out.push_str(&format!("<li>{}\n<ul>\n", self.who(who)));
            for &at in &entry.own {
                let others: Vec<u32> = saved
                    .conversations
                    .get(at)
                    .map(|c| c.people.iter().copied().filter(|other| *other != who).collect())
                    .unwrap_or_default();
                let mut link = self.link_to(at);
                if !others.is_empty() {
                    link =
                        self.sentence("written_among", vec![In::Html(link), In::Html(self.names(&others))]);
                }
                out.push_str(&format!("<li>{}</li>\n", joined(&[link, self.span(self.notes_of(at))])));
            }
            for &(at, count, first) in &entry.brought {
                let count = self.sentence("written_messages", vec![In::Number(count)]);
                let link = format!("<a href=\"#m{first}\">{count}</a>");
                let place = self.title(at);
                let entry = self.sentence("written_brought_in", vec![In::Html(link), In::Html(place)]);
                out.push_str(&format!("<li>{entry}</li>\n"));
            }
            out.push_str("</ul></li>\n");
        }
        for at in alone {
            out.push_str(&format!(
                "<li><span class=\"who\">{}</span>\n<ul><li>{}</li></ul></li>\n",
                self.words("written_to_oneself"),
                joined(&[self.link_to(at), self.span(self.notes_of(at))])
            ));
        }
        out.push_str("</ul>\n</nav>\n");
    }

    fn link_to(&self, conversation: usize) -> String {
        let count = self.saved.conversations.get(conversation).map_or(0, |c| c.sent + c.received);
        let words = self.sentence("written_messages", vec![In::Number(count)]);
        format!("<a href=\"#c{conversation}\">{words}</a>")
    }

    fn notes_of(&self, conversation: usize) -> impl Iterator<Item = &'a Note> {
        let saved = self.saved;
        let threads = saved.conversations.get(conversation).map_or(&[][..], |c| &c.threads);
        threads.iter().flat_map(|t| &t.messages).filter_map(move |m| saved.notes.get(m.note))
    }

    fn conversation(&self, at: usize) -> String {
        let Some(conversation) = self.saved.conversations.get(at) else { return String::new() };
        let handles: Vec<String> = conversation
            .people
            .iter()
            .take(if conversation.people.len() == 1 { 1 } else { usize::MAX })
            .map(|who| format!("<bdi>{}</bdi>", escaped(&self.saved.handle(*who))))
            .filter(|handle| handle != "<bdi></bdi>")
            .collect();
        let facts = [
            handles.join(", "),
            self.sentence("written_sent", vec![In::Number(conversation.sent)]),
            self.sentence("written_received", vec![In::Number(conversation.received)]),
            self.span(self.notes_of(at)),
        ];
        format!(
            "<section class=\"conversation\" id=\"c{at}\" aria-labelledby=\"c{at}n\">\n<h2 id=\"c{at}n\">{}</h2>\n\
             <p class=\"facts\">{}<span class=\"back\"> · <a href=\"#people\">{}</a></span></p>\n",
            self.title(at),
            joined(&facts),
            self.words("written_people")
        )
    }

    fn thread(&self, conversation: usize, thread: usize) -> String {
        let first = self.placed(conversation, thread, 0).and_then(|placed| self.saved.notes.get(placed.note));
        let day = first.map(|note| self.saved.local(note.at).0.day()).unwrap_or_default();
        let id = format!("c{conversation}t{thread}");
        let label = self.words("written_thread");
        format!(
            "<section class=\"thread\" aria-labelledby=\"{id}\">\n\
             <h3 id=\"{id}\"><span><span class=\"unseen\">{label} </span>{day}</span></h3>\n"
        )
    }

    fn placed(&self, conversation: usize, thread: usize, message: usize) -> Option<&'a Placed> {
        self.saved.conversations.get(conversation)?.threads.get(thread)?.messages.get(message)
    }

    /// The message at a [`Step::Message`].
    pub fn message(&self, step: Step, message: &Message, files: Files<'_>) -> String {
        let Step::Message { conversation, thread, message: place, note: at } = step else {
            return String::new();
        };
        let (Some(placed), Some(note)) = (self.placed(conversation, thread, place), self.saved.notes.get(at))
        else {
            return String::new();
        };
        let mut out = String::new();
        let before = place.checked_sub(1).and_then(|place| self.placed(conversation, thread, place));
        if let Some(before) = before.and_then(|before| self.saved.notes.get(before.note)) {
            let day = |note: &Note| self.saved.local(note.at).0.day();
            if day(before) != day(note) {
                out.push_str(&format!("<p class=\"day\">{}</p>\n", day(note)));
            }
        }
        let own = if note.author == self.saved.owner { "own" } else { "other" };
        out.push_str(&format!(
            "<article class=\"{own}\" id=\"m{at}\" aria-labelledby=\"m{at}n\">\n<header id=\"m{at}n\">{} {}</header>\n",
            self.who(note.author),
            self.time(note.at)
        ));
        self.remarks(placed, note, (conversation, thread, place), &mut out);
        match &message.status {
            Some(status) => {
                self.shown(
                    &Shown {
                        content: &status.content,
                        warning: &status.warning,
                        attachments: &status.attachments,
                        emojis: &status.emojis,
                        poll: status.poll.as_ref(),
                        language: status.language.as_deref(),
                    },
                    files,
                    &mut out,
                );
                if let Some(edited) = status.edited {
                    self.versions(edited, &message.history, status.language.as_deref(), files, &mut out);
                }
            }
            None => self.raw(&message.raw, &mut out),
        }
        out.push_str("</article>\n");
        out
    }

    /// What has to be said of a message's place: conversation, thread, message.
    fn remarks(&self, placed: &Placed, note: &Note, place: (usize, usize, usize), out: &mut String) {
        let (conversation, thread, place) = place;
        let people = self.saved.conversations.get(conversation).map_or(&[][..], |c| &c.people);
        let mut remark = |html: String| out.push_str(&format!("<p class=\"note\">{html}</p>\n"));
        if note.public {
            remark(self.words("written_public"));
        } else {
            let more: Vec<u32> = brought_in(note, people, self.saved.owner).collect();
            if !more.is_empty() {
                let all = more.iter().map(|who| self.who(*who)).collect::<Vec<_>>().join(", ");
                remark(self.sentence("written_also_to", vec![In::Html(all)]));
            }
        }
        if let Some(answered) = placed.answers {
            // What answers the message right before it needs no words.
            if answered + 1 != place
                && let Some(answered) = self.placed(conversation, thread, answered)
            {
                remark(self.sentence("written_answers", vec![In::Html(self.pointer(answered.note))]));
            }
        } else if let Some(answered) = placed.elsewhere {
            let pointer = In::Html(self.pointer(answered.note));
            remark(if answered.conversation == conversation {
                self.sentence("written_answers", vec![pointer])
            } else {
                let title = self.title(answered.conversation);
                self.sentence("written_answers_elsewhere", vec![pointer, In::Html(title)])
            });
        }
        if placed.joint != Joint::Whole {
            let author = note.parent_author.filter(|who| !self.saved.handle(*who).is_empty());
            // A server forgets the parent, and not its author, when the parent is deleted (facts 13.1, 4).
            let deleted = note.parent.is_none();
            let mut html = match (author, deleted) {
                (Some(who), true) => self.sentence("written_answers_deleted", vec![In::Html(self.who(who))]),
                (Some(who), false) => self.sentence("written_answers_absent", vec![In::Html(self.who(who))]),
                (None, true) => self.words("written_answers_someone_deleted"),
                (None, false) => self.words("written_answers_someone_absent"),
            };
            if placed.joint == Joint::Mended {
                html = format!("{html} {}", self.words("written_mended"));
            }
            remark(html);
        }
    }

    /// A link to a message, by its author and time.
    fn pointer(&self, at: usize) -> String {
        let Some(note) = self.saved.notes.get(at) else { return String::new() };
        format!(
            "<a href=\"#m{at}\"><bdi>{}</bdi>, {}</a>",
            escaped(&self.short(note.author)),
            self.time(note.at)
        )
    }

    fn shown(&self, shown: &Shown<'_>, files: Files<'_>, out: &mut String) {
        let warning = one_line(shown.warning);
        if !warning.is_empty() {
            let language = lang(shown.language);
            out.push_str(&format!(
                "<details><summary>{}: <bdi{language}>{}</bdi></summary>\n",
                self.words("written_warning"),
                escaped(&warning)
            ));
        }
        let body = Body::read(shown.content, self.saved.parser, shown.emojis);
        if !body.is_empty() {
            out.push_str(&format!("<div class=\"text\" dir=\"auto\"{}>", lang(shown.language)));
            let picture = |emoji: &Emoji| match files(&emoji.url) {
                Some(super::FileShown::Here { path, kind, .. }) if is_picture(&kind) => relative(&path),
                _ => None,
            };
            body.html(&picture, out);
            out.push_str("</div>\n");
        }
        if let Some(poll) = shown.poll {
            self.poll(poll, shown.language, out);
        }
        for attachment in shown.attachments {
            self.attachment(attachment, shown.language, files, out);
        }
        if !warning.is_empty() {
            out.push_str("</details>\n");
        }
    }

    fn poll(&self, poll: &Poll, language: Option<&str>, out: &mut String) {
        let most: u64 = poll.options.iter().filter_map(|(_, votes, _)| *votes).max().unwrap_or(0).max(1);
        out.push_str(&format!("<table><caption>{}</caption>\n", self.words("written_poll")));
        for (title, votes, chosen) in &poll.options {
            out.push_str(&format!(
                "<tr><th scope=\"row\"><bdi{}>{}</bdi>",
                lang(language),
                escaped(&one_line(title))
            ));
            if let Some(votes) = votes {
                let tenths = u128::from(*votes) * 10 / u128::from(most);
                out.push_str(&format!("<span class=\"bar\"><i class=\"b{tenths}\"></i></span>"));
            }
            let count =
                votes.map(|votes| self.words_of(&say("written_votes").with(votes))).unwrap_or_default();
            let chosen = if *chosen { self.words("written_chosen") } else { String::new() };
            out.push_str(&format!("</th>\n<td>{}</td></tr>\n", joined(&[count, chosen])));
        }
        out.push_str("</table>\n");
        let facts = [
            poll.expires
                .map(|at| self.sentence("written_poll_until", vec![In::Html(self.time(at))]))
                .unwrap_or_default(),
            if poll.multiple { self.words("written_poll_multiple") } else { String::new() },
        ];
        if facts.iter().any(|fact| !fact.is_empty()) {
            out.push_str(&format!("<p class=\"note\">{}</p>\n", joined(&facts)));
        }
    }

    fn attachment(&self, file: &Attachment, language: Option<&str>, files: Files<'_>, out: &mut String) {
        let alt = clean(&file.description);
        let alt = escaped(alt.trim());
        let language = lang(language);
        let what = self.words_of(&kind(file));
        match file_of(file, files) {
            Ok((path, kind, _)) => {
                let Some(source) = relative(&path).map(|path| escaped(&path)) else {
                    return self.missing(file, None, &alt, out);
                };
                let main = kind.split('/').next().unwrap_or_default();
                let name =
                    format!("<bdi>{}</bdi>", escaped(&one_line(path.rsplit('/').next().unwrap_or_default())));
                out.push_str("<figure>");
                out.push_str(&match main {
                    _ if is_picture(&kind) => format!(
                        "<a href=\"{source}\"><img src=\"{source}\" alt=\"{}\" loading=\"lazy\"></a>",
                        if alt.is_empty() { &what } else { &alt }
                    ),
                    "video" => format!(
                        "<video src=\"{source}\" controls preload=\"none\" aria-label=\"{}\"></video>",
                        if alt.is_empty() { &what } else { &alt }
                    ),
                    "audio" => format!(
                        "<audio src=\"{source}\" controls preload=\"none\" aria-label=\"{}\"></audio>",
                        if alt.is_empty() { &what } else { &alt }
                    ),
                    // What a browser could take for a page is named, not linked: it would run what is in it.
                    _ if is_plain(&kind) => format!("<a href=\"{source}\" download>{what}: {name}</a>"),
                    _ => format!("{what}: {name}"),
                });
                let picture = is_picture(&kind);
                if !alt.is_empty() {
                    // A picture's alternative text is read out with it already.
                    let hidden = if picture { " aria-hidden=\"true\"" } else { "" };
                    out.push_str(&format!(
                        "<figcaption class=\"alt\" dir=\"auto\"{language}{hidden}>{alt}</figcaption>"
                    ));
                } else if !picture && matches!(main, "video" | "audio") {
                    out.push_str(&format!("<figcaption><a href=\"{source}\">{name}</a></figcaption>"));
                }
                out.push_str("</figure>\n");
            }
            Err(missing) => self.missing(file, missing, &alt, out),
        }
    }

    fn missing(&self, file: &Attachment, why: Option<super::Missing>, alt: &str, out: &mut String) {
        let words = say("written_missing").with(part(kind(file))).with(part(reason(why)));
        out.push_str(&format!("<div class=\"missing\">\n<p>{}</p>\n", self.words_of(&words)));
        let original = file.remote_url.as_deref().or(file.url.as_deref());
        if let Some(url) = original {
            let shown = match address(url) {
                Some(href) => format!(
                    "<a href=\"{0}\" rel=\"noopener noreferrer nofollow\"><bdi>{0}</bdi></a>",
                    escaped(&href)
                ),
                None => format!("<bdi>{}</bdi>", escaped(&one_line(url))),
            };
            out.push_str(&format!("<p>{}</p>\n", self.sentence("written_original", vec![In::Html(shown)])));
        }
        if !alt.is_empty() {
            out.push_str(&format!("<p class=\"alt\" dir=\"auto\">{alt}</p>\n"));
        }
        out.push_str("</div>\n");
    }

    /// That a message was edited, and what it said before.
    fn versions(
        &self,
        edited: Time,
        history: &[Version],
        language: Option<&str>,
        files: Files<'_>,
        out: &mut String,
    ) {
        let when = self.sentence("written_edited", vec![In::Html(self.time(edited))]);
        // The last one is what stands now, unless the history was read before the last edit.
        let earlier: Vec<&Version> = history.iter().filter(|version| version.at < edited).collect();
        if earlier.is_empty() {
            let absent = self.words("written_versions_absent");
            out.push_str(&format!("<p class=\"note\">{when} {absent}</p>\n"));
            return;
        }
        let count = self.sentence("written_versions", vec![In::Number(earlier.len())]);
        out.push_str(&format!("<p class=\"note\">{when}</p>\n<details class=\"versions\"><summary class=\"note\">{count}</summary>\n<ol>\n"));
        for version in earlier {
            out.push_str(&format!("<li>{}\n", self.time(version.at)));
            self.shown(
                &Shown {
                    content: &version.content,
                    warning: &version.warning,
                    attachments: &version.attachments,
                    emojis: &version.emojis,
                    poll: version.poll.as_ref(),
                    language,
                },
                files,
                out,
            );
            out.push_str("</li>\n");
        }
        out.push_str("</ol>\n</details>\n");
    }

    /// A record that is no status as Mastodon sends them. `at` counts them, from 0.
    pub fn unreadable(&self, at: usize, raw: &str) -> String {
        let mut out = String::new();
        if at == 0 {
            let heading = self.words("written_unreadable_heading");
            out.push_str(&format!(
                "<section class=\"conversation\" id=\"unreadable\" aria-labelledby=\"unreadablen\">\n\
                 <h2 id=\"unreadablen\">{heading}</h2>\n"
            ));
        }
        out.push_str("<article class=\"other\">\n");
        self.raw(raw, &mut out);
        out.push_str("</article>\n");
        out
    }

    fn raw(&self, raw: &str, out: &mut String) {
        out.push_str(&format!(
            "<p class=\"note\">{}</p>\n<pre dir=\"ltr\">",
            self.words("written_unreadable")
        ));
        escape(&clean(raw), out);
        out.push_str("</pre>\n");
    }

    /// Somebody's name and handle.
    fn who(&self, at: u32) -> String {
        let (name, handle) = (self.saved.name(at), self.saved.handle(at));
        let handle = if handle.is_empty() {
            handle
        } else {
            format!("<bdi class=\"handle\">{}</bdi>", escaped(&handle))
        };
        let name = match (name.is_empty(), handle.is_empty()) {
            (false, _) => format!("<bdi class=\"who\">{}</bdi>", escaped(&name)),
            (true, false) => String::new(),
            (true, true) => self.words("written_somebody"),
        };
        format!("{name} {handle}").trim().to_owned()
    }

    /// What somebody is called where there is no room for both.
    fn short(&self, at: u32) -> String {
        let (name, handle) = (self.saved.name(at), self.saved.handle(at));
        match (name.is_empty(), handle.is_empty()) {
            (false, _) => name,
            (true, false) => handle,
            (true, true) => self.saved.speak(&say("written_somebody")),
        }
    }

    fn names(&self, people: &[u32]) -> String {
        let names: Vec<String> = people
            .iter()
            .take(NAMES)
            .map(|who| format!("<bdi>{}</bdi>", escaped(&self.short(*who))))
            .collect();
        let names = names.join(", ");
        match people.len().saturating_sub(NAMES) {
            0 => names,
            more => self.sentence("written_and_more", vec![In::Html(names), In::Number(more)]),
        }
    }

    /// What a conversation is called.
    fn title(&self, at: usize) -> String {
        let people = self.saved.conversations.get(at).map_or(&[][..], |c| &c.people);
        if people.is_empty() { self.words("written_to_oneself") } else { self.names(people) }
    }

    /// `2026-11-20 14:32:05 +01:00`, and for programs in UTC.
    fn time(&self, at: Time) -> String {
        let (civil, offset) = self.saved.local(at);
        let (utc, sign) = (super::civil(at, 0), if offset < 0 { '-' } else { '+' });
        let (hours, minutes) = (offset.abs() / 60, offset.abs() % 60);
        format!(
            "<time datetime=\"{}T{}Z\">{} {} {sign}{hours:02}:{minutes:02}</time>",
            utc.day(),
            utc.time(),
            civil.day(),
            civil.time()
        )
    }

    /// From which day to which.
    fn span<'n>(&self, notes: impl Iterator<Item = &'n Note>) -> String {
        let ends = notes.map(|note| note.at).fold(None, |ends, at| match ends {
            None => Some((at, at)),
            Some((first, last)) => Some((at.min(first), at.max(last))),
        });
        let Some((first, last)) = ends else { return String::new() };
        let (first, last) = (self.saved.local(first).0.day(), self.saved.local(last).0.day());
        if first == last { first } else { format!("{first} – {last}") }
    }

    fn words(&self, key: &str) -> String {
        self.words_of(&say(key))
    }

    fn words_of(&self, say: &Say) -> String {
        escaped(&self.saved.speak(say))
    }

    fn sentence(&self, key: &str, pieces: Vec<In>) -> String {
        sentence(key, pieces, &|say| self.saved.speak(say))
    }
}

/// Who can read a message, but not the whole conversation.
fn brought_in<'n>(note: &'n Note, people: &'n [u32], owner: u32) -> impl Iterator<Item = u32> + 'n {
    note.readers
        .iter()
        .copied()
        .filter(move |who| *who != owner && find(people.len(), &|at| people[at].cmp(who)).is_none())
}

/// A path from the page's own place, as an address: with every sign that could make something else of it in percent.
fn relative(path: &str) -> Option<String> {
    let mut out = String::with_capacity(path.len());
    for name in path.split('/') {
        if name.is_empty() || name.chars().all(|c| c == '.') {
            return None;
        }
        if !out.is_empty() {
            out.push('/');
        }
        for c in name.chars() {
            if c.is_ascii_alphanumeric() || "-._~".contains(c) {
                out.push(c);
            } else {
                super::super::body::percent(c, &mut out);
            }
        }
    }
    Some(out)
}

/// What `<img>` shows everywhere. SVG is left out: opened alone it is a page.
fn is_picture(kind: &str) -> bool {
    matches!(kind, "image/png" | "image/jpeg" | "image/gif" | "image/webp" | "image/avif" | "image/bmp")
}

/// What no browser takes for a page.
fn is_plain(kind: &str) -> bool {
    matches!(
        kind,
        "application/pdf" | "application/zip" | "application/octet-stream" | "image/heic" | "image/tiff"
    )
}

/// ` lang="…"`; empty in it where the language is not known, so that the page's own does not count.
fn lang(language: Option<&str>) -> String {
    format!(" lang=\"{}\"", language.and_then(tag).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_below_the_page() {
        for (path, expected) in [
            ("media_attachments/1.png", Some("media_attachments/1.png")),
            ("a b/\"c'<>&?#%.png", Some("a%20b/%22c%27%3C%3E%26%3F%23%25.png")),
            ("javascript:alert(1)", Some("javascript%3Aalert%281%29")),
            ("ü.png", Some("%C3%BC.png")),
            ("/etc/passwd", None),
            ("//evil.example/x", None),
            ("../x", None),
            ("a/../x", None),
            ("a/./x", None),
            ("", None),
        ] {
            assert_eq!(relative(path).as_deref(), expected, "{path}");
        }
    }

    #[test]
    fn languages_are_tags_or_nothing() {
        for (language, expected) in [
            (Some("en"), " lang=\"en\""),
            (Some("zh-Hant-TW"), " lang=\"zh-Hant-TW\""),
            (Some("en\" onload=\"x"), " lang=\"\""),
            (Some("e"), " lang=\"\""),
            (Some("en-"), " lang=\"\""),
            (Some("en_GB"), " lang=\"\""),
            (Some(""), " lang=\"\""),
            (None, " lang=\"\""),
        ] {
            assert_eq!(lang(language), expected);
        }
    }
}
