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
