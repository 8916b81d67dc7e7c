//! Which of Mastodon's files something is, from how it begins. Small, and leans on nothing else: in a server's page this
//! is all that is loaded of `list`.

use super::Kind;

/// What a file seems to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    Known(Kind),
    /// Accounts, one a line, and nothing says whether they are followed, muted or blocked.
    Accounts,
    Foreign(Foreign),
    Empty,
    Unknown,
}

/// Something that is no list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Foreign {
    /// A page, saved in place of the file: of somebody who was not signed in, mostly.
    Html,
    /// `actor.json` of an archive.
    Actor,
    /// `outbox.json`, `likes.json` or `bookmarks.json` of an archive.
    Posts,
    Json,
    /// An archive, or a spreadsheet: both are ZIPs.
    Zip,
    Gzip,
    Image,
    Pdf,
    Binary,
}

/// From where a guess is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sure {
    /// The names of columns, or the form of the whole: it is nothing else.
    Header,
    /// What stands in the columns.
    Content,
    /// The file's name alone, among what the content allows.
    Name,
    No,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guess {
    pub what: What,
    pub sure: Sure,
}

impl Guess {
    /// Whether it is a file for that kind of import. `Some(false)` means that it is for something else, as surely as
    /// `sure` says; `None` that nothing speaks against it.
    pub fn fits(self, kind: Kind) -> Option<bool> {
        match self.what {
            What::Known(known) => Some(known == kind),
            What::Accounts if matches!(kind, Kind::Follows | Kind::Mutes | Kind::Blocks) => None,
            What::Unknown => None,
            What::Accounts | What::Foreign(_) | What::Empty => Some(false),
        }
    }
}

/// A column that Mastodon has a name for (facts 5 and 6.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    Account,
    Boosts,
    Notify,
    Languages,
    HideNotifications,
    Domain,
    Uri,
    ListName,
}

const NAMES: [(&[u8], Column); 8] = [
    (b"account address", Column::Account),
    (b"show boosts", Column::Boosts),
    (b"notify on new posts", Column::Notify),
    (b"languages", Column::Languages),
    (b"hide notifications", Column::HideNotifications),
    (b"#domain", Column::Domain),
    (b"#uri", Column::Uri),
    (b"list name", Column::ListName),
];

pub(super) fn column(cell: &[u8]) -> Option<Column> {
    let cell = bare(cell);
    NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(cell)).map(|(_, column)| *column)
}

/// Whether a first row is a header: it has the name of a column, and nothing that would stand below one. So a list that
/// somebody called "Account address" is still a list.
pub(super) fn is_header(cells: &[&[u8]]) -> bool {
    cells.iter().any(|cell| column(cell).is_some()) && !cells.iter().any(|cell| look(cell).is_data())
}

/// How much is looked at.
const LOOK: usize = 4_096;
/// And how many lines of it.
const LINES: usize = 30;

/// Looks at the first kilobytes of a file, and at its name.
pub fn guess(head: &[u8], file_name: &str) -> Guess {
    let head = head.get(..LOOK).unwrap_or(head);
    match form(head) {
        Some(foreign) => Guess { what: What::Foreign(foreign), sure: Sure::Header },
        None => {
            // Enough of UTF-16 for what is asked here; names of columns and domains are ASCII.
            let plain: Vec<u8> = without_bom(head).iter().copied().filter(|byte| *byte != 0).collect();
            of_text(&plain, file_name).0
        }
    }
}

/// What is no text, by how it begins.
pub(super) fn form(head: &[u8]) -> Option<Foreign> {
    const BEGINNINGS: [(&[u8], Foreign); 9] = [
        (b"PK\x03\x04", Foreign::Zip),
        (b"PK\x05\x06", Foreign::Zip),
        (b"\x1f\x8b", Foreign::Gzip),
        (b"\x89PNG", Foreign::Image),
        (b"\xff\xd8\xff", Foreign::Image),
        (b"GIF8", Foreign::Image),
        (b"RIFF", Foreign::Image),
        (b"%PDF", Foreign::Pdf),
        // A spreadsheet of old.
        (b"\xd0\xcf\x11\xe0", Foreign::Binary),
    ];
    let found = BEGINNINGS.iter().find(|(beginning, _)| head.starts_with(beginning)).map(|(_, what)| *what);
    let head = head.get(..LOOK).unwrap_or(head);
    // Signs that no text has. In bytes of any other kind every tenth is one; in UTF-16, half of a letter may be.
    let odd = head.iter().filter(|byte| matches!(byte, 1..=8 | 14..=31 | 127)).count();
    let wide = head.starts_with(b"\xff\xfe")
        || head.starts_with(b"\xfe\xff")
        || head.iter().filter(|byte| **byte == 0).count() * 4 > head.len();
    found.or((odd * 50 > head.len() && !wide).then_some(Foreign::Binary))
}

fn without_bom(head: &[u8]) -> &[u8] {
    [&b"\xef\xbb\xbf"[..], b"\xff\xfe", b"\xfe\xff"]
        .iter()
        .find_map(|bom| head.strip_prefix(*bom))
        .unwrap_or(head)
}

/// What a text is, and what separates its cells.
pub(super) fn of_text(text: &[u8], file_name: &str) -> (Guess, u8) {
    let text = text.get(..LOOK).unwrap_or(text).trim_ascii_start();
    let sure = |what, sure| (Guess { what, sure }, b',');
    if text.is_empty() {
        return sure(What::Empty, Sure::Header);
    }
    if let Some(what) = of_markup(text) {
        return sure(what, Sure::Header);
    }
    let (separator, mut seen) = (*b",;\t")
        .map(|separator| (separator, see(text, separator)))
        .into_iter()
        // The first of those that make the most sense.
        .reduce(|best, next| if next.1.sense > best.1.sense { next } else { best })
        .unwrap_or((b',', Seen::default()));
    seen.named = of_name(file_name);
    (seen.guess(), separator)
}

/// What is no CSV, though it is text.
fn of_markup(text: &[u8]) -> Option<What> {
    let begins =
        |with: &str| text.get(..with.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(with.as_bytes()));
    if ["<!doctype", "<html", "<?xml", "<!--", "<head"].into_iter().any(begins) {
        return Some(What::Foreign(Foreign::Html));
    }
    let (first, rest) = text.split_first()?;
    let next = rest.trim_ascii_start().first();
    // A list may be called "[x]" or "{x}".
    let json = match first {
        b'{' => matches!(next, Some(b'"' | b'}')),
        b'[' => matches!(next, Some(b'{' | b'[' | b'"' | b']')),
        // An archive of another house.
        _ => text.starts_with(b"window."),
    };
    if !json {
        return None;
    }
    let has = |word: &[u8]| text.windows(word.len()).any(|part| part == word);
    Some(match () {
        () if has(b"\"custom_filters\"") => What::Known(Kind::Filters),
        () if has(b"OrderedCollection\"") => What::Foreign(Foreign::Posts),
        () if has(b"\"preferredUsername\"") || has(b"\"inbox\"") => What::Foreign(Foreign::Actor),
        () => What::Foreign(Foreign::Json),
    })
}

/// What a file of that name has, as Mastodon names it, or Misskey, or a person.
fn of_name(file_name: &str) -> Option<Kind> {
    const WORDS: [(&str, Kind); 8] = [
        ("domain", Kind::DomainBlocks),
        ("follow", Kind::Follows),
        ("mute", Kind::Mutes),
        ("muting", Kind::Mutes),
        ("block", Kind::Blocks),
        ("bookmark", Kind::Bookmarks),
        ("list", Kind::Lists),
        ("filter", Kind::Filters),
    ];
    let name = file_name.as_bytes();
    let has = |word: &str| name.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word.as_bytes()));
    if has("follower") {
        return None;
    }
    WORDS.into_iter().find(|(word, _)| has(word)).map(|(_, kind)| kind)
}

/// What a cell looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    Name(Column),
    Handle,
    Domain,
    /// The address of somebody's profile.
    Profile,
    Uri,
    Flag,
    Other,
}

impl Look {
    fn is_data(self) -> bool {
        matches!(self, Look::Handle | Look::Profile | Look::Uri)
    }
}

fn bare(cell: &[u8]) -> &[u8] {
    let cell = cell.trim_ascii();
    cell.strip_prefix(b"\"").and_then(|cell| cell.strip_suffix(b"\"")).unwrap_or(cell).trim_ascii()
}

fn look(cell: &[u8]) -> Look {
    let cell = bare(cell);
    if let Some(column) = column(cell) {
        return Look::Name(column);
    }
    if cell.eq_ignore_ascii_case(b"true") || cell.eq_ignore_ascii_case(b"false") {
        return Look::Flag;
    }
    let lower =
        |prefix: &[u8]| cell.get(..prefix.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(prefix));
    if lower(b"https://") || lower(b"http://") {
        let mut parts = cell.split(|byte| *byte == b'/').skip(3);
        let path = [parts.next(), parts.next(), parts.next(), parts.next()];
        let profile = matches!(
            path,
            [Some([b'@', ..]), None, ..]
                | [Some(b"users"), Some(_), None, _]
                | [Some(b"ap"), Some(b"users"), Some(_), None]
        );
        return if profile { Look::Profile } else { Look::Uri };
    }
    let cell = cell.strip_prefix(b"@").unwrap_or(cell);
    // Letters of every script may stand in a domain, and none of the signs that ASCII has besides.
    let domain = |text: &[u8]| {
        let dot = text.iter().position(|byte| *byte == b'.');
        dot.is_some_and(|at| at > 0 && at + 1 < text.len())
            && text.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte >= 0x80 || b".-_:".contains(byte))
    };
    match cell.iter().position(|byte| *byte == b'@') {
        None if domain(cell) => Look::Domain,
        Some(at) if at > 0 && domain(&cell[at + 1..]) => {
            let user = cell[..at].iter().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(byte));
            if user { Look::Handle } else { Look::Other }
        }
        _ => Look::Other,
    }
}

/// What stands in the first lines.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    /// Lines with a cell that looks like something.
    sense: usize,
    lines: usize,
    handles: usize,
    domains: usize,
    uris: usize,
    profiles: usize,
    /// Accounts in the second column.
    members: usize,
    /// `true` or `false` in the second and third.
    flags: usize,
    header: Option<Kind>,
    accounts: bool,
    named: Option<Kind>,
}

fn see(text: &[u8], separator: u8) -> Seen {
    let mut seen = Seen::default();
    let whole = matches!(text.last(), Some(b'\n' | b'\r'));
    let mut lines =
        text.split(|byte| matches!(byte, b'\n' | b'\r')).filter(|line| !line.is_empty()).peekable();
    while let Some(line) = lines.next() {
        // The last line may be cut off.
        if seen.lines >= LINES || (lines.peek().is_none() && !whole && (seen.lines > 0 || seen.sense > 0)) {
            break;
        }
        let mut quoted = false;
        let cells: Vec<&[u8]> = line
            .split(|byte| {
                quoted ^= *byte == b'"';
                *byte == separator && !quoted
            })
            .collect();
        let mut looks = [Look::Other; 4];
        for (place, cell) in looks.iter_mut().zip(&cells) {
            *place = look(cell);
        }
        seen.sense += usize::from(looks.iter().any(|look| !matches!(look, Look::Other | Look::Flag)));
        if seen.lines == 0 && seen.header.is_none() && !seen.accounts && is_header(&cells) {
            let has = |column| looks.contains(&Look::Name(column));
            seen.header = match () {
                () if has(Column::HideNotifications) => Some(Kind::Mutes),
                () if has(Column::Boosts) || has(Column::Notify) || has(Column::Languages) => {
                    Some(Kind::Follows)
                }
                () if has(Column::ListName) => Some(Kind::Lists),
                () if has(Column::Domain) => Some(Kind::DomainBlocks),
                () if has(Column::Uri) => Some(Kind::Bookmarks),
                () => None,
            };
            seen.accounts = seen.header.is_none();
            continue;
        }
        seen.lines += 1;
        let [first, second, third, _] = looks;
        seen.handles += usize::from(matches!(first, Look::Handle | Look::Profile));
        seen.domains += usize::from(first == Look::Domain);
        seen.uris += usize::from(first == Look::Uri);
        seen.profiles += usize::from(first == Look::Profile);
        seen.members += usize::from(second == Look::Handle);
        seen.flags += usize::from(second == Look::Flag && third == Look::Flag);
    }
    seen
}

impl Seen {
    fn guess(&self) -> Guess {
        let most = |count: usize| count * 2 > self.lines;
        let (what, sure) = match () {
            () if self.header.is_some() => (self.header, Sure::Header),
            () if self.accounts => (None, Sure::Header),
            () if most(self.members) => (Some(Kind::Lists), Sure::Content),
            () if most(self.uris) => (Some(Kind::Bookmarks), Sure::Content),
            // Some servers' posts have addresses like profiles.
            () if self.named == Some(Kind::Bookmarks) && most(self.uris + self.profiles) => {
                (self.named, Sure::Name)
            }
            () if most(self.domains) => (Some(Kind::DomainBlocks), Sure::Content),
            () if most(self.handles) && most(self.flags) => (Some(Kind::Follows), Sure::Content),
            () if most(self.handles) => (None, Sure::Content),
            () => {
                let what = self.named.map_or(What::Unknown, What::Known);
                return Guess { what, sure: if self.named.is_some() { Sure::Name } else { Sure::No } };
            }
        };
        match (what, self.named) {
            (Some(kind), _) => Guess { what: What::Known(kind), sure },
            (None, Some(kind @ (Kind::Follows | Kind::Mutes | Kind::Blocks))) => {
                Guess { what: What::Known(kind), sure: Sure::Name }
            }
            (None, _) => Guess { what: What::Accounts, sure },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn knows_a_file_by_how_it_begins() {
        use Kind::*;
        let known = |kind, sure| Guess { what: What::Known(kind), sure };
        let foreign = |what| Guess { what: What::Foreign(what), sure: Sure::Header };
        let accounts = |sure| Guess { what: What::Accounts, sure };
        let cases: &[(&[u8], &str, Guess)] = &[
            (b"Account address,Show boosts,Notify on new posts,Languages\n", "x.csv", known(Follows, Sure::Header)),
            (b"Account address,Show boosts\nana@one.example,true\n", "blocks.csv", known(Follows, Sure::Header)),
            (b"\xef\xbb\xbfAccount address;Show boosts;Languages\r\n", "", known(Follows, Sure::Header)),
            (b"\xff\xfeA\0c\0c\0o\0u\0n\0t\0 \0a\0d\0d\0r\0e\0s\0s\0,\0H\0i\0d\0e\0 \0n\0o\0t\0i\0f\0i\0c\0a\0t\0i\0o\0n\0s\0\n\0", "", known(Mutes, Sure::Header)),
            (b"Account address\nana@one.example\n", "", accounts(Sure::Header)),
            (b"Account address\nana@one.example\n", "blocked_accounts (1).csv", known(Blocks, Sure::Name)),
            (b"List name,Account address\n", "", known(Lists, Sure::Header)),
            (b"#domain,#severity\nbad.example,suspend\n", "", known(DomainBlocks, Sure::Header)),
            (b"#uri\n", "", known(Bookmarks, Sure::Header)),
            (b"ana@one.example\nben@two.example\n", "", accounts(Sure::Content)),
            (b"@ana@one.example,\nben@two.example,\n", "following-2026.csv", known(Follows, Sure::Name)),
            (b"ana@one.example\nben@two.example\n", "followers.csv", accounts(Sure::Content)),
            (b"ana@one.example\n", "muted_accounts_failures.csv", known(Mutes, Sure::Name)),
            (b"ana@one.example,true,false,\n", "", known(Follows, Sure::Content)),
            (b"https://one.example/users/ana\n", "", accounts(Sure::Content)),
            (b"bad.example\nb\xc3\xbcse.example\n", "follows.csv", known(DomainBlocks, Sure::Content)),
            (b"https://old.test/ap/users/1/statuses/2\n", "", known(Bookmarks, Sure::Content)),
            (b"https://old.test/users/1\n", "bookmarks.csv", known(Bookmarks, Sure::Name)),
            (b"Close friends,carol@old.test\n\"a, \"\"b\"\"\",x@old.test\n", "", known(Lists, Sure::Content)),
            (b"Account address,carol@old.test\n", "", known(Lists, Sure::Content)),
            (b"Friends; family,carol@old.test\n", "", known(Lists, Sure::Content)),
            (b"[x],carol@old.test\n", "", known(Lists, Sure::Content)),
            (b"ana\nben\n", "mutes.csv", known(Mutes, Sure::Name)),
            (b"ana\nben\n", "", Guess { what: What::Unknown, sure: Sure::No }),
            (b" \r\n\n", "follows.csv", Guess { what: What::Empty, sure: Sure::Header }),
            (b"{\n \"custom_filters\": []\n}", "", known(Filters, Sure::Header)),
            (b"{\"@context\":[],\"id\":\"outbox.json\",\"type\":\"OrderedCollection\"", "", foreign(Foreign::Posts)),
            (b"{\"@context\":[],\"type\":\"Person\",\"preferredUsername\":\"ana\"", "", foreign(Foreign::Actor)),
            (b"[\"https://one.example/1\"]", "bookmarks.json", foreign(Foreign::Json)),
            (b"\n<!DOCTYPE html>\n<html lang='en'>", "follows.csv", foreign(Foreign::Html)),
            (b"PK\x03\x04\x14\0", "archive.csv", foreign(Foreign::Zip)),
            (b"\x1f\x8b\x08", "", foreign(Foreign::Gzip)),
            (b"\x89PNG\r\n\x1a\n", "", foreign(Foreign::Image)),
            (b"%PDF-1.7", "", foreign(Foreign::Pdf)),
            (b"\x01\x02\x03\x04\x05", "", foreign(Foreign::Binary)),
        ];
        for (head, name, expected) in cases {
            assert_eq!(guess(head, name), *expected, "{} {name}", String::from_utf8_lossy(head));
        }
    }

    #[test]
    fn says_what_a_file_is_not_for() {
        let follows = guess(b"Account address,Show boosts\n", "");
        assert_eq!((follows.fits(Kind::Follows), follows.fits(Kind::Blocks)), (Some(true), Some(false)));
        let accounts = guess(b"ana@one.example\n", "");
        assert_eq!((accounts.fits(Kind::Blocks), accounts.fits(Kind::Lists)), (None, Some(false)));
        let page = guess(b"<!DOCTYPE html>", "follows.csv");
        assert!(Kind::ALL.into_iter().all(|kind| page.fits(kind) == Some(false)));
    }

    proptest! {
        #[test]
        fn takes_anything(head in prop::collection::vec(any::<u8>(), 0..200), name in ".{0,12}") {
            let _ = guess(&head, &name);
        }
    }
}
