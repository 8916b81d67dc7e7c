//! What is made of messages for people to read: their text, the page of all of them, plain text. With html5ever as the
//! parser, both for what comes in and for looking at what comes out.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use common::{NativeParser, file};
use packed_trunk::account::Domain;
use packed_trunk::message::body::{Body, LinkKind, Piece, Tag};
use packed_trunk::message::record::Missing;
use packed_trunk::message::thread::{Conversation, Note, People, put_together};
use packed_trunk::message::write::html::{About, Page};
use packed_trunk::message::write::text::Transcript;
use packed_trunk::message::write::{FileShown, Message, Saved, Step};
use packed_trunk::say::Words;
use packed_trunk::server::markup::{Event, Markup, Parser};
use packed_trunk::server::status::{Emoji, Person, Status};
use packed_trunk::when::Time;
use proptest::prelude::*;
use scraper::{Html, Selector};
use serde_json::{Value, json};

fn emojis() -> Vec<Emoji> {
    ["cat", "x\"onerror=alert(1)", "cat_2"]
        .map(|code| Emoji { shortcode: code.into(), url: format!("https://old.example/{code}.png") })
        .to_vec()
}

fn body(html: &str) -> Body {
    Body::read(html, &NativeParser, &emojis())
}

fn html(html: &str) -> String {
    let mut out = String::new();
    body(html).html(&|emoji| (emoji.shortcode == "cat").then(|| "media/c'at.png".to_owned()), &mut out);
    out
}

fn text(html: &str) -> String {
    body(html).text()
}

/// What a body has to be whatever it was made of.
fn well_formed(body: &Body) {
    let mut open: Vec<&Tag> = Vec::new();
    for piece in body.pieces() {
        match piece {
            Piece::Open(tag) => {
                let inside = open.last();
                match tag {
                    Tag::Item => assert!(matches!(inside, Some(Tag::List(_))), "{body:?}"),
                    Tag::Link(link) => {
                        assert!(!open.iter().any(|tag| matches!(tag, Tag::Link(_))), "{body:?}");
                        let known = ["https://", "http://", "mailto:"];
                        assert!(known.iter().any(|scheme| link.href.starts_with(scheme)), "{body:?}");
                    }
                    Tag::Paragraph | Tag::Quote | Tag::Pre | Tag::List(_) => {
                        assert!(!open.contains(&&Tag::Paragraph), "{body:?}");
                    }
                    _ => {}
                }
                open.push(tag);
                assert!(open.len() <= 20, "{body:?}");
            }
            Piece::Close => assert!(open.pop().is_some(), "{body:?}"),
            Piece::Text(text) => {
                assert!(!text.is_empty() && !text.contains(['\n', '\0', '\u{202e}', '\u{2067}']), "{body:?}");
            }
            Piece::Break | Piece::Emoji(_) => {}
        }
    }
    assert!(open.is_empty(), "{body:?}");
}

#[test]
fn mastodons_own_html_is_read_for_what_it_is() {
    let sent = r##"<p><span class="h-card" translate="no"><a href="https://old.test/@dave" class="u-url mention">@<span>dave</span></a></span> hidden text<br />second line</p><p>new paragraph <a href="https://example.org/a?b=1&amp;c=2" target="_blank" rel="nofollow noopener" translate="no"><span class="invisible">https://</span><span class="">example.org/a?b=1&amp;c=2</span><span class="invisible"></span></a> <a href="https://old.test/tags/tag" class="mention hashtag" rel="tag">#<span>tag</span></a></p>"##;
    assert_eq!(
        text(sent),
        "@dave hidden text\nsecond line\n\nnew paragraph https://example.org/a?b=1&c=2 #tag"
    );
    let kinds: Vec<LinkKind> = body(sent)
        .pieces()
        .iter()
        .filter_map(|piece| match piece {
            Piece::Open(Tag::Link(link)) => Some(link.kind),
            _ => None,
        })
        .collect();
    assert_eq!(kinds, [LinkKind::Mention, LinkKind::Plain, LinkKind::Hashtag]);
    let written = html(sent);
    assert!(written.starts_with("<p><a href=\"https://old.test/@dave\" rel=\"noopener noreferrer nofollow\"><bdi>@dave</bdi></a> hidden text<br>second line</p>"), "{written}");
    assert!(!written.contains("class="), "{written}");
}

#[test]
fn everything_that_mastodon_lets_through_has_its_form() {
    assert_eq!(
        html(
            "<blockquote><p>a</p></blockquote><ul><li>b<li>c <b>d</b></ul><ol><li>e</ol><pre><code>f\n  g</code></pre>"
        ),
        "<blockquote><p>a</p></blockquote><ul><li><p>b</p></li><li><p>c <strong>d</strong></p></li></ul>\
         <ol><li><p>e</p></li></ol><pre>f<br>  g</pre>"
    );
    assert_eq!(
        text(
            "<p>x</p><blockquote><p>a<br>b</p><p>c</p></blockquote><ul><li>d</li><li>e<ul><li>f</li></ul></li></ul><ol><li>g</li><li>h</li></ol><pre>i\n  j</pre>z"
        ),
        "x\n\n> a\n> b\n>\n> c\n\n- d\n- e\n  - f\n\n1. g\n2. h\n\ni\n  j\n\nz"
    );
    assert_eq!(html("<b><p>a</p><p>b</p></b>"), "<p><strong>a</strong></p><p><strong>b</strong></p>");
    assert_eq!(html("<h2>a</h2>b"), "<p><strong>a</strong></p><p>b</p>");
    assert_eq!(html("<ruby>漢<rp>(</rp><rt>かん</rt><rp>)</rp></ruby>"), "<p>漢(かん)</p>");
    assert_eq!(
        html("<p>a<del>b</del><u>c</u><i>d</i><code>e</code></p>"),
        "<p>a<s>b</s><u>c</u><em>d</em><code>e</code></p>"
    );
    assert_eq!(
        text(
            "<p>look <a href=\"https://a.example/b\">here</a> and <a href=\"mailto:a@b.example\">a@b.example</a></p>"
        ),
        "look here (https://a.example/b) and a@b.example"
    );
    // A new line behind `<br>` is one; others are as Mastodon shows them.
    assert_eq!(text("<p>a<br>\nb\nc</p>\n<p>d</p>\n"), "a\nb\nc\n\nd");
    assert_eq!(text(""), "");
    assert_eq!(html("<p> </p><p><b></b></p><ul> <li></li></ul>"), "");
}

#[test]
fn emojis_stand_where_mastodon_shows_them() {
    let picture = r#"<img class="emoji" src="media/c&#39;at.png" alt=":cat:" title=":cat:">"#;
    assert_eq!(
        html(":cat: a:cat: :cat::cat: (:cat:) :dog: ::"),
        format!("<p>{picture} a:cat: :cat::cat: ({picture}) :dog: ::</p>")
    );
    assert_eq!(html(":cat_2:"), "<p>:cat_2:</p>");
    assert_eq!(html("<code>:cat:</code>"), "<p><code>:cat:</code></p>");
    assert_eq!(text("a :cat:"), "a :cat:");
    assert_eq!(html(":x\"onerror=alert(1):"), "<p>:x&quot;onerror=alert(1):</p>");
}

#[test]
fn nothing_harmful_comes_through() {
    for (sent, expected) in [
        ("<script>alert(1)</script>a<style>p{}</style>", "<p>a</p>"),
        ("<p>a<img src=x onerror=alert(1) alt='b'>c", "<p>abc</p>"),
        ("<iframe srcdoc='x'>a</iframe><object>b</object><template>c</template>d", "<p>d</p>"),
        ("<svg><script>1</script><a href='javascript:1'>x</a></svg><math><mi>y</mi></math>z", "<p>z</p>"),
        ("<p style='position:fixed;inset:0' onclick=x dir=rtl lang=x id=y class=z>a", "<p>a</p>"),
        ("<a href='javascript:alert(1)'>a</a>", "<p>a</p>"),
        ("<a href=' java&#10;script:alert(1)'>a</a>", "<p>a</p>"),
        ("<a href='java&Tab;script&colon;alert(1)'>a</a>", "<p>a</p>"),
        (
            "<base href='https://evil.example/'><meta http-equiv=refresh content='0;url=https://evil.example'>a",
            "<p>a</p>",
        ),
        ("<title>a</title></title></style>]]>b<!-- c -->", "<p>]]&gt;b</p>"),
        ("<p>a\u{202e}b\u{2066}c</p>", "<p>abc</p>"),
        ("<p>&lt;script&gt;&amp;&quot;</p>", "<p>&lt;script&gt;&amp;&quot;</p>"),
        ("<form action=x><input value=y><button>a</button></form>", "<p>a</p>"),
        ("a\u{0}b&#0;c&#x1b;", "<p>ab\u{fffd}c\u{fffd}</p>"),
        (
            "<a href=https://a.example><a href=https://b.example>x</a></a>",
            "<p><a href=\"https://b.example\" rel=\"noopener noreferrer nofollow\" class=\"named\" title=\"https://b.example\"><bdi>x</bdi></a></p>",
        ),
    ] {
        assert_eq!(html(sent), expected, "{sent}");
        well_formed(&body(sent));
    }
    // A link that calls itself something else is shown for what it is.
    for sent in [
        "<a class=mention href='https://evil.example'>https://bank.example</a>",
        "<a class=hashtag href='https://evil.example'># see https://bank.example</a>",
        "<a href='https://bank.example@evil.example'>https://bank.example</a>",
    ] {
        assert!(text(sent).ends_with(')'), "{}", text(sent));
    }
}

/// A parser that says what it is told to say: browsers and html5ever need long for what is nested very deep.
struct Told(Vec<&'static str>);

impl Parser for Told {
    fn parse<'a>(&'a self, _html: &str) -> Box<dyn Markup + 'a> {
        Box::new(Told(self.0.clone()))
    }
}

impl Markup for Told {
    fn all(&self, _selector: &str) -> Vec<Box<dyn Markup + '_>> {
        Vec::new()
    }

    fn attribute(&self, _name: &str) -> Option<String> {
        None
    }

    fn text(&self) -> String {
        String::new()
    }

    fn walk(&self, visit: &mut dyn FnMut(Event<'_>)) {
        let mut open = 0;
        for word in &self.0 {
            match word.strip_prefix('<') {
                Some("/") => visit(Event::Close),
                Some(name) => {
                    open += 1;
                    visit(Event::Open(name, &|name| {
                        (name == "href").then(|| "https://a.example".to_owned())
                    }));
                }
                None => visit(Event::Text(word)),
            }
        }
        for _ in 0..open {
            visit(Event::Close);
        }
    }
}

fn bounded(sent: &str, parser: &dyn Parser) {
    let read = Body::read(sent, parser, &emojis());
    well_formed(&read);
    let mut out = String::new();
    read.html(&|_| None, &mut out);
    assert!(read.pieces().len() <= sent.len() * 5 + 50, "{} of {}", read.pieces().len(), sent.len());
    assert!(out.len() <= sent.len() * 80 + 2_000, "{} of {}", out.len(), sent.len());
    assert!(read.text().len() <= sent.len() * 10 + 200);
}

#[test]
fn size_and_depth_are_bounded_by_what_came() {
    let many_styles = (0..100).map(|n| format!("<b id={n}><i id={n}>")).collect::<String>();
    for sent in [
        "<b>".repeat(2_000),
        "<blockquote>".repeat(500) + "x",
        "<ul><li>".repeat(500) + "x" + &"<p>y".repeat(500),
        many_styles + &"<p>x".repeat(300),
        "<a href=https://a.example>".to_owned() + &"<p>x".repeat(5_000),
        ":cat:".repeat(100_000),
        "<br>".repeat(20_000),
        "<blockquote><blockquote><blockquote>".to_owned() + &"a<br>".repeat(20_000),
    ] {
        bounded(&sent, &NativeParser);
    }
    for unit in
        [&["<b"][..], &["<blockquote"], &["<ul", "<li"], &["<p"], &["<script"], &["<a", "x"], &["<pre", "x"]]
    {
        let told: Vec<&str> = unit.iter().copied().cycle().take(200_000).chain(["x"]).collect();
        bounded(&told.concat(), &Told(told));
    }
    // A parser may repeat a style for each paragraph: what came pays for it, and what comes after is plain.
    let told: Vec<&str> = ["<b", "<i", "<u", "<s", "<code", "<a"]
        .into_iter()
        .chain(["<p", "x", "</"].into_iter().cycle().take(30_000))
        .collect();
    let sent = "x".repeat(12_000);
    bounded(&sent, &Told(told));
}

fn any_html() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        "[a-z :<>&\"'\n\u{202e}\u{0}]{0,8}",
        prop::sample::select(vec![
            "<p>",
            "</p>",
            "<b>",
            "</b>",
            "<i class=x>",
            "</i>",
            "<a href=https://a.example>",
            "</a>",
            "<a class=mention href='mailto:x'>",
            "<ul>",
            "<ol>",
            "<li>",
            "</li>",
            "</ul>",
            "<pre>",
            "</pre>",
            "<blockquote>",
            "</blockquote>",
            "<br>",
            "<h1>",
            "</h1>",
            "<table>",
            "<td>",
            "</table>",
            "<svg>",
            "</svg>",
            "<script>",
            "</script>",
            "<template>",
            "</template>",
            "<code>",
            "</code>",
            ":cat:",
            "<div>",
            "</div>",
            "<!--",
            "-->",
            "<select>",
            "<frameset>",
            "</body>",
            "<img alt=y>",
        ])
        .prop_map(str::to_owned),
    ];
    prop::collection::vec(part, 0..40).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn any_html_gives_a_well_formed_body(sent in any_html()) {
        let read = body(&sent);
        well_formed(&read);
        // What is written reads back as the same: a browser sees what we meant.
        let mut out = String::new();
        read.html(&|_| None, &mut out);
        let again = Body::read(&out, &NativeParser, &emojis());
        prop_assert_eq!(read.text(), again.text(), "{} -> {}", sent, out);
    }
}

/// The English words as they are shipped.
struct English(HashMap<String, String>);

impl English {
    fn new() -> English {
        let all: Value = serde_json::from_str(&file("extension/_locales/en/messages.json")).unwrap();
        let text = |message: &Value| message["message"].as_str().unwrap().to_owned();
        English(all.as_object().unwrap().iter().map(|(key, message)| (key.clone(), text(message))).collect())
    }
}

impl Words for English {
    fn message(&self, key: &str, parts: &[String]) -> Option<String> {
        let mut text = self.0.get(key)?.clone();
        for (at, part) in parts.iter().enumerate() {
            text = text.replace(&format!("${}", at + 1), part);
        }
        Some(text)
    }

    fn plural(&self, n: i64) -> String {
        if n == 1 { "one".into() } else { "other".into() }
    }

    fn number(&self, n: i64) -> String {
        n.to_string()
    }

    fn day(&self, at: Time) -> String {
        at.0.to_string()
    }

    fn clock(&self, at: Time) -> String {
        at.0.to_string()
    }

    fn ago(&self, millis: i64) -> String {
        millis.to_string()
    }
}

/// Messages as they are saved, and what is made of them.
struct Chest {
    raw: Vec<(String, Option<String>)>,
    files: HashMap<String, FileShown>,
    people: Vec<Person>,
    notes: Vec<Note>,
    conversations: Vec<Conversation>,
}

fn local() -> Domain {
    "old.example".parse().unwrap()
}

impl Chest {
    fn new(statuses: &[Value], histories: &[(&str, Value)]) -> Chest {
        let owner = json!({"id": "1", "acct": "ana", "display_name": "Ana Okonkwo"});
        let mut people = People::new(Person::read(&owner, &local()).unwrap());
        let (mut raw, mut notes) = (Vec::new(), Vec::new());
        for value in statuses {
            let status = Status::read(value, &local()).unwrap();
            notes.push(people.note(&format!("m/{}", status.id), &status));
            let history =
                histories.iter().find(|(id, _)| *id == status.id).map(|(_, value)| value.to_string());
            raw.push((value.to_string(), history));
        }
        let conversations = put_together(&notes, 0);
        Chest { raw, files: HashMap::new(), people: people.list().to_vec(), notes, conversations }
    }

    fn with(mut self, url: &str, shown: FileShown) -> Chest {
        self.files.insert(url.to_owned(), shown);
        self
    }

    fn saved<T>(&self, then: impl FnOnce(&Saved<'_>) -> T) -> T {
        let words = English::new();
        then(&Saved {
            words: &words,
            // Summer and winter, as in Berlin.
            zone: &|at| if (1_774_746_000_000..1_792_890_000_000).contains(&at.0) { 120 } else { 60 },
            parser: &NativeParser,
            people: &self.people,
            owner: 0,
            notes: &self.notes,
            conversations: &self.conversations,
        })
    }

    fn message(&self, note: usize) -> Message {
        let (raw, history) = &self.raw[note];
        Message::read(raw, history.as_deref(), &local())
    }

    fn page(&self, about: &About, unreadable: &[&str]) -> String {
        self.saved(|saved| {
            let page = Page::new(saved);
            let mut out = String::new();
            for step in page.steps() {
                if step == Step::End {
                    for (at, raw) in unreadable.iter().enumerate() {
                        out.push_str(&page.unreadable(at, raw));
                    }
                }
                match step {
                    Step::Message { note, .. } => {
                        let files = |url: &str| self.files.get(url).cloned();
                        out.push_str(&page.message(step, &self.message(note), &files));
                    }
                    _ => out.push_str(&page.piece(step, about)),
                }
            }
            out
        })
    }

    fn text(&self, conversation: usize) -> String {
        self.saved(|saved| {
            let transcript = Transcript::new(saved, conversation);
            let files = |url: &str| self.files.get(url).cloned();
            let notes = transcript.notes();
            notes.into_iter().map(|note| transcript.message(note, &self.message(note), &files)).collect()
        })
    }
}

fn here(path: &str, kind: &str) -> FileShown {
    FileShown::Here { path: path.into(), kind: kind.into(), size: 1 }
}

/// A direct message: number, time, author, to whom, text.
fn direct(id: u64, at: &str, author: &str, to: &[&str], content: &str) -> Value {
    let names = [
        ("ana", "1", "Ana Okonkwo"),
        ("ben@new.example", "2", "Ben"),
        ("chidi@chat.example", "3", "Chidi ✨"),
        ("layla@ar.example", "4", "ليلى حداد"),
        ("evil@evil.example", "5", "<img src=x onerror=alert(1)>\u{202e}\" </title>"),
    ];
    let account = |acct: &str| {
        let (_, id, name) = names.iter().find(|(known, ..)| *known == acct).unwrap();
        json!({"id": id, "acct": acct, "display_name": name, "url": format!("https://{acct}")})
    };
    json!({
        "id": id.to_string(), "uri": format!("https://old.example/{id}"), "created_at": at,
        "visibility": "direct", "account": account(author), "content": content, "spoiler_text": "", "language": "en",
        "mentions": to.iter().map(|acct| account(acct)).collect::<Vec<_>>(),
        "media_attachments": [], "emojis": [], "in_reply_to_id": null, "in_reply_to_account_id": null,
    })
}

fn also(mut value: Value, more: Value) -> Value {
    for (key, more) in more.as_object().unwrap() {
        value[key] = more.clone();
    }
    value
}

fn media(id: u64, kind: &str, url: &str, alt: &str) -> Value {
    json!({"id": id.to_string(), "type": kind, "url": url, "remote_url": null, "description": alt})
}

/// A little of everything.
fn sample() -> Chest {
    let mention = |who: &str| {
        format!(
            "<p><span class=\"h-card\"><a href=\"https://new.example/@{who}\" class=\"u-url mention\">@<span>{who}</span></a></span>"
        )
    };
    let base = "https://old.example/media";
    let statuses = [
        also(
            direct(
                101,
                "2025-03-02T08:15:00.000Z",
                "ana",
                &[],
                "<p>I am thinking of moving to new.example. Who else is there?</p>",
            ),
            json!({"visibility": "public"}),
        ),
        also(
            direct(
                102,
                "2025-03-02T08:40:12.000Z",
                "ben@new.example",
                &["ana"],
                &(mention("ana") + " I am! Come over, it is nice here. Ask me anything &lt;3</p>"),
            ),
            json!({"in_reply_to_id": "101", "in_reply_to_account_id": "1"}),
        ),
        also(
            direct(
                103,
                "2025-03-02T08:41:50.000Z",
                "ana",
                &["ben@new.example"],
                &(mention("ben")
                    + " really? What about my followers?</p><p>I have heard that they come along, but that posts do not.</p>"),
            ),
            json!({"in_reply_to_id": "102", "in_reply_to_account_id": "2"}),
        ),
        also(
            direct(
                104,
                "2025-03-03T19:02:33.000Z",
                "ben@new.example",
                &["ana"],
                &(mention("ana")
                    + " that is so. It is all in <a href=\"https://docs.joinmastodon.org/user/moving/\" class=\"\"><span class=\"invisible\">https://</span><span class=\"ellipsis\">docs.joinmastodon.org/user/mov</span><span class=\"invisible\">ing/</span></a> and <a href=\"https://example.org/a-longer-story\">here</a>. In short:</p><ol><li>make an alias there</li><li>wait</li><li>move <strong>once</strong></li></ol><blockquote><p>After the move the old account cannot be used for 30 days.</p></blockquote>"),
            ),
            json!({"in_reply_to_id": "103", "in_reply_to_account_id": "1"}),
        ),
        also(
            direct(
                105,
                "2025-03-03T19:10:00.000Z",
                "ana",
                &["ben@new.example", "chidi@chat.example"],
                &(mention("ben") + " thanks! @chidi knows that too, I think :cat: :nothere:</p>"),
            ),
            json!({"in_reply_to_id": "104", "in_reply_to_account_id": "2",
            "emojis": [{"shortcode": "cat", "url": format!("{base}/cat.png")}]}),
        ),
        also(
            direct(
                106,
                "2025-03-03T19:30:00.000Z",
                "chidi@chat.example",
                &["ana"],
                &(mention("ana") + " between us: keep a copy of your messages. Nobody else will.</p>"),
            ),
            json!({"in_reply_to_id": "105", "in_reply_to_account_id": "1"}),
        ),
        also(
            direct(
                107,
                "2025-08-11T21:00:00.000Z",
                "ben@new.example",
                &["ana"],
                &(mention("ana")
                    + " the view from here. The plan is in the other picture, and how it sounds in the last one.</p>"),
            ),
            json!({"edited_at": "2025-08-11T21:06:00.000Z", "media_attachments": [
            media(1, "image", &format!("{base}/1.png"), "Hills in the evening sun, with a lake between them"), media(2, "image", &format!("{base}/2.png"), ""), media(3, "audio", &format!("{base}/3.mp3"), "A cuckoo"),
            media(4, "video", &format!("{base}/4.mp4"), ""), media(5, "image", &format!("{base}/5.png"), "The plan of the house"), media(6, "unknown", &format!("{base}/6"), "")]}),
        ),
        also(
            direct(
                108,
                "2025-08-11T21:15:00.000Z",
                "ana",
                &["ben@new.example"],
                &(mention("ben") + " what is for dinner?</p>"),
            ),
            json!({"in_reply_to_id": "107", "in_reply_to_account_id": "2",
            "poll": {"multiple": true, "expires_at": "2025-08-12T21:15:00.000Z", "own_votes": [0], "options": [{"title": "Soup", "votes_count": 2}, {"title": "Potatoes with rosemary & a great deal of butter", "votes_count": 1}, {"title": "Nothing", "votes_count": 0}]}}),
        ),
        also(
            direct(
                109,
                "2025-08-11T21:16:00.000Z",
                "ben@new.example",
                &["ana"],
                &(mention("ana") + " the cook did it. <s>Really.</s> <em>Really!</em></p>"),
            ),
            json!({"in_reply_to_id": "107", "in_reply_to_account_id": "2", "spoiler_text": "How the book ends"}),
        ),
        also(
            direct(
                110,
                "2025-08-12T06:00:00.000Z",
                "ana",
                &["ben@new.example"],
                &(mention("ben") + " ok, forget what I said</p>"),
            ),
            json!({"in_reply_to_account_id": "2"}),
        ),
        also(
            direct(
                111,
                "2026-11-20T13:32:05.000Z",
                "layla@ar.example",
                &["ana"],
                &(mention("ana") + " مرحبا، هل وصلتك رسالتي الأخيرة؟ أرسلتها من new.example أمس.</p>"),
            ),
            json!({"language": "ar"}),
        ),
        also(
            direct(
                112,
                "2026-11-20T13:40:00.000Z",
                "ana",
                &["layla@ar.example"],
                "<p>Yes. Here is the line that you need:</p><pre><code>for post in posts:\n    print(post.content)</code></pre>",
            ),
            json!({"in_reply_to_id": "111", "in_reply_to_account_id": "4"}),
        ),
        also(
            direct(
                113,
                "2026-11-20T14:00:00.000Z",
                "evil@evil.example",
                &["ana"],
                "<p style=\"position:fixed;inset:0;background:red\">cover</p><script>document.title='x'</script><img src=x onerror=alert(1)><a href=\"javascript:alert(1)\">click</a> <a href=\"https://evil.example/x\">https://bank.example/</a> \u{202e}txet desrever\u{202c} <iframe src=\"https://evil.example\"></iframe></title></style>]]>--&gt; :evil:",
            ),
            json!({"language": "en\" onload=\"alert(1)", "spoiler_text": "",
            "emojis": [{"shortcode": "evil", "url": "javascript:alert(1)"}, {"shortcode": "x\"><script>", "url": "x"}],
            "media_attachments": [media(9, "image\" onerror=\"x", "javascript:alert(1)", "\"><script>alert(1)</script>"), media(10, "image", "https://evil.example/\"><script>", "alt")]}),
        ),
        direct(114, "2026-11-21T07:00:00.000Z", "ana", &[], "<p>Remember the milk</p>"),
    ];
    let history = json!([
        {"created_at": "2025-08-11T21:00:00.000Z", "content": "<p>the veiw from here</p>", "media_attachments": [], "emojis": []},
        {"created_at": "2025-08-11T21:03:00.000Z", "content": "<p>the view from here</p>", "spoiler_text": "landscape", "media_attachments": [media(1, "image", &format!("{base}/1.png"), "")], "emojis": []},
        {"created_at": "2025-08-11T21:06:00.000Z", "content": "<p>now</p>", "media_attachments": [], "emojis": []},
    ]);
    Chest::new(&statuses, &[("107", history)])
        .with(&format!("{base}/1.png"), here("media_attachments/1 ü.png", "image/png"))
        .with(&format!("{base}/2.png"), here("media_attachments/2.png", "image/png"))
        .with(&format!("{base}/3.mp3"), here("media_attachments/3.mp3", "audio/mpeg"))
        .with(&format!("{base}/4.mp4"), here("media_attachments/4.mp4", "video/mp4"))
        .with(&format!("{base}/5.png"), FileShown::Missing(Missing::Gone))
        .with(&format!("{base}/6"), here("media_attachments/6.html", "text/html"))
        .with(&format!("{base}/cat.png"), here("media_attachments/cat.png", "image/png"))
        .with("javascript:alert(1)", here("javascript:alert(1)//\"><script>", "image/png"))
        .with("https://evil.example/\"><script>", here("../../secret.png", "image/png"))
}

fn about() -> About {
    About {
        at: Time(1_795_330_000_000),
        remarks: vec!["Some of what people sent you may be missing: <the list> of one person could not be read to its end.".into()],
        unreadable: 1,
    }
}

const UNREADABLE: &str = "{\"id\":\"666\",\"content\":\"</pre><script>alert(1)</script>\"}";

fn all<'a>(page: &'a Html, selector: &str) -> Vec<scraper::ElementRef<'a>> {
    page.select(&Selector::parse(selector).unwrap()).collect()
}

fn words_of(element: &scraper::ElementRef<'_>) -> String {
    element.text().collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_page_shows_every_message_in_its_place() {
    let sample = sample();
    let written = sample.page(&about(), &[UNREADABLE]);
    let page = Html::parse_document(&written);
    assert!(
        page.errors.iter().all(|error| !error.contains("unclosed") && !error.contains("Unexpected")),
        "{:?}",
        page.errors
    );
    assert_eq!(all(&page, "article[id^=m]").len(), sample.notes.len());
    assert_eq!(all(&page, "article.own").len(), 7);
    assert_eq!(all(&page, "h1").len(), 1);
    assert_eq!(all(&page, "main > section.conversation > h2").len(), sample.conversations.len() + 1);
    let titles: Vec<String> = all(&page, "main > section > h2").iter().map(words_of).collect();
    assert_eq!(&titles[..2], ["Ben", "Chidi ✨"]);
    // Every link on the page leads somewhere, and every name of a section is there.
    let ids: Vec<&str> = all(&page, "[id]").iter().filter_map(|element| element.attr("id")).collect();
    let unique: std::collections::BTreeSet<_> = ids.iter().collect();
    assert_eq!(unique.len(), ids.len());
    for element in all(&page, "a[href^='#'], [aria-labelledby]") {
        let to = element.attr("aria-labelledby").or(element.attr("href")).unwrap().trim_start_matches('#');
        assert!(ids.contains(&to), "{to}");
    }
    let people: Vec<String> = all(&page, "nav > ul > li").iter().map(words_of).collect();
    assert_eq!(people[1], "Ben @ben@new.example 8 messages · 2025-03-02 – 2025-08-12");
    assert_eq!(
        people[2],
        "Chidi ✨ @chidi@chat.example 1 message · 2025-03-03 1 message in the conversation with Ben"
    );

    let article = |id: u64| {
        let at = sample.notes.iter().position(|note| note.id == id.to_string()).unwrap();
        all(&page, &format!("#m{at}"))[0]
    };
    let says = |id: u64, text: &str| {
        let words = words_of(&article(id));
        assert!(words.contains(text), "{id}: {words}");
    };
    says(101, "Ana Okonkwo @ana@old.example 2025-03-02 09:15:00 +01:00");
    says(101, "Not a direct message");
    says(105, "Also to Chidi ✨ @chidi@chat.example");
    says(106, "In answer to Ana Okonkwo, 2025-03-03 20:10:00 +01:00, in the conversation with Ben");
    says(
        107,
        "Edited 2025-08-11 22:06:00 +01:00. 2 earlier versions 2025-08-11 22:00:00 +01:00 the veiw from here",
    );
    says(107, "Content warning: landscape");
    says(
        107,
        "Picture not saved: its server no longer has it. It was at https://old.example/media/5.png The plan of the house",
    );
    says(108, "Soup 2 votes · your choice");
    says(109, "In answer to Ben, 2025-08-11");
    says(110, "In answer to a message by Ben @ben@new.example that has been deleted.");
    says(113, "https://bank.example/ (https://evil.example/x)");
    assert_eq!(article(111).select(&Selector::parse(".text[lang=ar][dir=auto]").unwrap()).count(), 1);
    let time = article(111).select(&Selector::parse("time").unwrap()).next().unwrap();
    assert_eq!(time.attr("datetime"), Some("2026-11-20T13:32:05Z"));
    let picture = all(&page, "figure img")[0];
    assert_eq!(picture.attr("src"), Some("media_attachments/1%20%C3%BC.png"));
    assert_eq!(picture.attr("alt"), Some("Hills in the evening sun, with a lake between them"));
    assert!(all(&page, "details[open]").is_empty());
    assert_eq!(words_of(&all(&page, "#unreadable pre")[0]), UNREADABLE);
}

/// Every element and every attribute of the page is one that we write, and every address one that may be there.
#[test]
fn nothing_on_the_page_is_anybody_elses() {
    let written = sample().page(&about(), &[UNREADABLE]);
    let page = Html::parse_document(&written);
    let head = written.find("<meta").unwrap();
    assert!(written[head..].starts_with(
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-"
    ));
    let allowed = [
        "html lang dir",
        "head",
        "meta http-equiv content charset name",
        "title",
        "style",
        "body",
        "header id",
        "h1",
        "h2 id",
        "h3 id",
        "p class dir",
        "nav aria-labelledby",
        "ul",
        "ol",
        "li",
        "a href class rel title download",
        "bdi class lang",
        "span class",
        "main",
        "b",
        "section class id aria-labelledby",
        "article class id aria-labelledby",
        "time datetime",
        "div class dir lang",
        "br",
        "strong",
        "em",
        "s",
        "u",
        "code",
        "pre dir",
        "blockquote",
        "img class src alt title loading",
        "figure",
        "figcaption class dir lang aria-hidden",
        "video src controls preload aria-label",
        "audio src controls preload aria-label",
        "details class",
        "summary class",
        "table",
        "caption",
        "tbody",
        "tr",
        "th scope",
        "td",
        "i class",
        "footer",
    ];
    for element in all(&page, "*") {
        let value = element.value();
        let known = allowed.iter().find(|line| line.split(' ').next() == Some(value.name()));
        let known = known.unwrap_or_else(|| panic!("<{}>", value.name()));
        for (name, content) in value.attrs() {
            assert!(
                known.split(' ').skip(1).any(|attribute| attribute == name),
                "<{} {name}={content}>",
                value.name()
            );
            match name {
                "src" => assert!(
                    content.starts_with("media_attachments/") && !content.contains(['"', '<', ':']),
                    "{content}"
                ),
                "href" => {
                    let fine = ["#", "https://", "media_attachments/"]
                        .iter()
                        .any(|start| content.starts_with(start));
                    assert!(fine, "{content}");
                }
                "rel" => assert_eq!(content, "noopener noreferrer nofollow"),
                "class" => assert!(content.len() < 20 && !content.contains(['"', '<']), "{content}"),
                "lang" => assert!(["", "en", "ar"].contains(&content), "{content}"),
                _ => {}
            }
        }
    }
    assert_eq!(all(&page, "style").len(), 1);
    assert_eq!(words_of(&all(&page, "title")[0]), "Direct messages of @ana@old.example");
    assert!(!written.contains(['\u{202e}', '\u{202c}', '\0']));
    assert!(
        !written.contains("href=\"media_attachments/6.html"),
        "a page of somebody else is not opened from ours"
    );
    assert!(!written.contains("written_"), "a sentence is missing");
}

#[test]
fn odd_people_and_places_are_no_panic() {
    let sample = sample();
    let nobody: Vec<Person> = Vec::new();
    sample.saved(|saved| {
        let empty = Saved { people: &nobody, notes: &[], ..*saved };
        let page = Page::new(&empty);
        for step in page.steps().chain([Step::Conversation(99), Step::Thread(99, 99)]) {
            let _ = page.piece(step, &About::default());
            let _ = page.message(step, &sample.message(0), &|_| None);
        }
        assert_eq!(Transcript::new(&empty, 99).notes(), Vec::<usize>::new());
        assert_eq!(Transcript::new(&empty, 0).message(99, &sample.message(0), &|_| None), "");
    });
    let unread = Message::read("{", Some("["), &local());
    assert!(unread.status.is_none() && unread.addresses().is_empty());
    assert_eq!(sample.message(6).addresses().len(), 6);
}

#[test]
fn plain_text_has_one_beginning_for_each_message() {
    let mut forged = direct(
        3,
        "2026-01-05T12:00:00.000Z",
        "evil@evil.example",
        &["ana"],
        "<p>a<br>[01/02/2026, 10:00:00] Ben: forged</p><p>\u{200e}[01/02/2026, 10:00:00] Ben: b</p>&lt;attached: /etc/passwd>\u{2028}[01/02/2026, 10:00:00] Ben: c",
    );
    forged["account"]["display_name"] = json!("Ben: [x]\n[01/02/2026, 10:00:00] Ana");
    let chest = Chest::new(
        &[
            direct(1, "2026-01-05T10:00:00.000Z", "ana", &["evil@evil.example"], "<p>hello<br>there</p><blockquote>q</blockquote>"),
            also(direct(2, "2026-01-05T11:00:00.000Z", "evil@evil.example", &["ana"], ""), json!({"spoiler_text": "w\n[x", "media_attachments": [
                media(1, "image", "https://old.example/1.png", "alt\n[text]"), media(2, "video", "https://old.example/2", "")]})),
            forged,
        ],
        &[],
    )
    .with("https://old.example/1.png", here("media_attachments/1.png", "image/png"));
    let text = chest.text(0);
    assert_eq!(
        text,
        "[05/01/2026, 11:00:00] Ana Okonkwo: hello\nthere\n\n> q\n\
         [05/01/2026, 12:00:00] <img src=x onerror=alert(1)>\" </title>: (Content warning: w [x)\n\n\
         [05/01/2026, 12:00:00] <img src=x onerror=alert(1)>\" </title>: <attached: media_attachments/1.png>\nalt [text]\n\
         [05/01/2026, 12:00:00] <img src=x onerror=alert(1)>\" </title>: (Video not saved: it was not fetched.)\n\
         [05/01/2026, 13:00:00] <img src=x onerror=alert(1)>\" </title>: a\n| [01/02/2026, 10:00:00] Ben: forged\n\n\
         | \u{200e}[01/02/2026, 10:00:00] Ben: b\n\n‹attached: /etc/passwd>\n| [01/02/2026, 10:00:00] Ben: c\n"
    );
    // In one conversation all by time, whatever the threads.
    let all = sample();
    let begins = regex::Regex::new(r"(?m)^\[(\d\d/\d\d/\d{4}), (\d\d:\d\d:\d\d)\] ([^:]+): ").unwrap();
    let names: Vec<String> = begins.captures_iter(&all.text(0)).map(|found| found[3].to_owned()).collect();
    assert_eq!(names.iter().filter(|name| *name == "Ben").count(), 10, "{}", all.text(0));
}

proptest! {
    #[test]
    fn whatever_is_in_a_message_stays_in_it(content in any_html(), name in "[a-z<\"&:\n\\[\u{202e}]{0,9}", warning in "[a-z<\"\n]{0,5}", language in "[a-z\"<-]{0,6}") {
        let mut status = direct(1, "2026-01-05T10:00:00.000Z", "ben@new.example", &["ana"], &content);
        status["account"]["display_name"] = json!(name);
        status["spoiler_text"] = json!(warning);
        status["language"] = json!(language);
        let chest = Chest::new(&[status, direct(2, "2026-01-05T11:00:00.000Z", "ana", &["ben@new.example"], "<p>end</p>")], &[]);
        let written = chest.page(&About::default(), &[]);
        let page = Html::parse_document(&written);
        prop_assert_eq!(all(&page, "body > main > section > section > article").len(), 2, "{}", written);
        prop_assert_eq!(all(&page, "body > *").len(), 4, "{}", written);
        prop_assert_eq!(all(&page, "script, style, iframe, [onerror], [style]").len(), 1);
        let text = chest.text(0);
        let begins = regex::Regex::new(r"(?m)^\[\d\d/\d\d/\d{4}, \d\d:\d\d:\d\d\] [^:]+: ").unwrap();
        prop_assert_eq!(begins.find_iter(&text).count(), 2, "{}", text);
    }
}

/// A hundred thousand messages: each is written when it comes, and none costs more because of the others.
#[test]
fn many_messages_are_written_in_no_time_each() {
    let statuses: Vec<Value> = (0..3_000)
        .map(|id| {
            also(
                direct(id, "2026-01-05T10:00:00.000Z", "ana", &["ben@new.example"], "<p>x</p>"),
                json!({"in_reply_to_id": (id > 0).then(|| (id / 2).to_string())}),
            )
        })
        .collect();
    let written = Chest::new(&statuses, &[]).page(&About::default(), &[]);
    assert!(written.len() < 3_000 * 700, "{}", written.len());
}

/// Real messages, where they are at hand: nothing of them is lost on the way.
#[test]
fn captured_messages_are_read() {
    let Some(folder) = common::captures() else { return };
    let mut read = 0;
    for entry in std::fs::read_dir(folder.join("4.6.5-api/dm")).unwrap().flatten() {
        let path = entry.path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let Ok(value) = serde_json::from_str::<Value>(&std::fs::read_to_string(&path).unwrap()) else {
            continue;
        };
        let status = |value: &Value| Status::read(value, &"old.test".parse().unwrap()).ok();
        for status in value.as_array().into_iter().flatten().chain([&value]).filter_map(status) {
            let read_body = Body::read(&status.content, &NativeParser, &status.emojis);
            well_formed(&read_body);
            let seen: String = Html::parse_fragment(&status.content).root_element().text().collect();
            let text = read_body.text();
            let mut rest = text.chars();
            let lost = seen.chars().find(|c| !c.is_whitespace() && !rest.any(|other| other == *c));
            assert_eq!(lost, None, "{}: {text}", path.display());
            read += 1;
        }
    }
    assert!(read > 50, "only {read} captured messages");
}

/// Written to a folder, for looking at it.
#[test]
fn a_page_to_look_at() {
    let folder = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target"), PathBuf::from);
    let folder = folder.join("tmp/messages");
    std::fs::create_dir_all(folder.join("media_attachments")).unwrap();
    let page = sample().page(&about(), &[UNREADABLE]);
    std::fs::write(folder.join("messages.html"), page).unwrap();
    let icon = Path::new(env!("CARGO_MANIFEST_DIR")).join("extension/icons");
    let icon = std::fs::read_dir(icon).unwrap().flatten().map(|entry| entry.path());
    let icon = icon.filter(|path| path.extension().is_some_and(|e| e == "png")).max().unwrap();
    for name in ["1 ü.png", "2.png", "cat.png"] {
        std::fs::copy(&icon, folder.join("media_attachments").join(name)).unwrap();
    }
}
