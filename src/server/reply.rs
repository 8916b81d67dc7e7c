//! What comes back, and what it means when it is not what was asked for.

use serde_json::Value;

use super::request::Request;
use crate::plain;
use crate::when::Time;

/// A server's answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    /// Path and query of where the answer came from in the end, redirects followed.
    pub path: String,
    /// The redirects led to another server.
    pub elsewhere: bool,
    pub content_type: String,
    /// The answer was cut because it was larger than anything we ask for.
    pub cut: bool,
    /// `X-RateLimit-Reset`, where there is one: the only word about when to come back (facts 13.2).
    pub reset: Option<String>,
    /// `X-RateLimit-Limit` and `-Remaining`; on replies of the API alone (facts 13, last line).
    pub limit: Option<u32>,
    pub remaining: Option<u32>,
    /// `Link`: where the next page is.
    pub link: Option<String>,
    /// The server's clock, from its `Date`.
    pub date: Option<Time>,
    pub body: String,
}

/// An answer, or nothing at all.
pub type Reply = Result<Answer, Silence>;

/// No answer came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Silence {
    /// No connection, no name, no certificate, or cut off: a browser does not tell which.
    Unreachable,
    TimedOut,
    /// There is no tab of this server to ask in.
    NoTab,
    /// The person has not allowed this server.
    NotGranted,
    /// The agent does not perform such a request. A mistake of ours.
    Refused,
    /// The page is that of another account, and nothing was asked.
    OtherAccount,
}

/// Why an answer is not what was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    SignedOut,
    /// 403, with the session or the account not allowed to.
    Forbidden,
    NotFound,
    Gone,
    TooMany,
    /// 5xx
    Broken,
    /// Sent on to another server.
    Elsewhere,
    /// A page where data was expected, or half an answer.
    Nonsense,
    Silent(Silence),
}

impl Answer {
    /// The path without its query.
    pub fn plain_path(&self) -> &str {
        self.path.split(['?', '#']).next().unwrap_or_default()
    }

    /// The `max_id` of the next page. The server's own word: a page that is not full need not be the last one, and a list
    /// of followers is paged by ids that are nowhere in it.
    pub fn next_page(&self) -> Option<&str> {
        let link = self.link.as_deref()?.split(',').find(|link| link.contains("rel=\"next\""))?;
        let (_, rest) = link.split_once("max_id=")?;
        let id = rest.split(['&', '>']).next()?;
        (!id.is_empty() && id.bytes().all(|b| b.is_ascii_digit())).then_some(id)
    }

    fn is_sign_in(&self) -> bool {
        self.plain_path() == "/auth/sign_in"
    }
}

/// The JSON that was asked for.
pub fn json(reply: &Reply) -> Result<Value, Refusal> {
    let answer = usable(reply)?;
    plain::json(&answer.body).ok_or(Refusal::Nonsense)
}

/// The text of the data that was asked for, as its server sent it.
pub fn data(reply: &Reply) -> Result<&Answer, Refusal> {
    let answer = usable(reply)?;
    let html = answer.content_type.starts_with("text/html");
    if html { Err(Refusal::Nonsense) } else { Ok(answer) }
}

/// The file that was asked for, and no page in its place: who is not signed in any more is sent to a page that says so.
pub fn file<'a>(reply: &'a Reply, asked: &Request) -> Result<&'a Answer, Refusal> {
    let answer = usable(reply)?;
    if answer.is_sign_in() {
        return Err(Refusal::SignedOut);
    }
    if answer.plain_path() != asked.path {
        return Err(Refusal::Forbidden);
    }
    data(reply)
}

/// The page that was asked for, or the one that the server sent the person to instead.
pub fn page(reply: &Reply) -> Result<&Answer, Refusal> {
    let answer = usable(reply)?;
    if answer.is_sign_in() {
        return Err(Refusal::SignedOut);
    }
    let html = answer.content_type.starts_with("text/html");
    if html { Ok(answer) } else { Err(Refusal::Nonsense) }
}

/// A page that must be the very one that was asked for: being sent elsewhere is an answer, but not this page.
pub fn very_page<'a>(reply: &'a Reply, asked: &Request) -> Result<&'a Answer, Refusal> {
    let answer = page(reply)?;
    let asked = asked.path.split('?').next().unwrap_or_default();
    if answer.plain_path() == asked { Ok(answer) } else { Err(Refusal::Forbidden) }
}

fn usable(reply: &Reply) -> Result<&Answer, Refusal> {
    let answer = reply.as_ref().map_err(|silence| Refusal::Silent(*silence))?;
    match answer.status {
        _ if answer.elsewhere => Err(Refusal::Elsewhere),
        200..=299 if answer.cut => Err(Refusal::Nonsense),
        200..=299 => Ok(answer),
        401 => Err(Refusal::SignedOut),
        403 => Err(Refusal::Forbidden),
        404 => Err(Refusal::NotFound),
        410 => Err(Refusal::Gone),
        429 => Err(Refusal::TooMany),
        500..=599 => Err(Refusal::Broken),
        _ => Err(Refusal::Nonsense),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::request;

    fn answer(status: u16, path: &str, content_type: &str, body: &str) -> Reply {
        Ok(Answer {
            status,
            path: path.into(),
            content_type: content_type.into(),
            body: body.into(),
            ..Answer::default()
        })
    }

    #[test]
    fn finds_the_next_page() {
        let next = |link: &str| {
            Answer { link: Some(link.into()), ..Answer::default() }.next_page().map(str::to_owned)
        };
        let both =
            "<https://a/api?limit=2&max_id=117>; rel=\"next\", <https://a/api?min_id=119>; rel=\"prev\"";
        assert_eq!(next(both).as_deref(), Some("117"));
        assert_eq!(
            next("<https://a/api?max_id=117&types%5B%5D=mention>; rel=\"next\"").as_deref(),
            Some("117")
        );
        for odd in ["", "<https://a/api?min_id=1>; rel=\"prev\"", "<https://a/?max_id=../x>; rel=\"next\""] {
            assert_eq!(next(odd), None, "{odd}");
        }
    }

    #[test]
    fn says_what_is_wrong_with_an_answer() {
        let html = "text/html; charset=utf-8";
        let cases = [
            (answer(200, "/x", "application/json", "[1]"), None),
            (answer(200, "/x", html, "<!DOCTYPE html>"), Some(Refusal::Nonsense)),
            (answer(200, "/x", "application/json", "[1"), Some(Refusal::Nonsense)),
            (answer(200, "/x", "application/json", ""), Some(Refusal::Nonsense)),
            (answer(401, "/x", "application/json", "{}"), Some(Refusal::SignedOut)),
            (answer(403, "/x", "application/json", "{}"), Some(Refusal::Forbidden)),
            (answer(404, "/x", html, "{}"), Some(Refusal::NotFound)),
            (answer(410, "/x", html, "{}"), Some(Refusal::Gone)),
            (answer(429, "/x", "application/json", "{}"), Some(Refusal::TooMany)),
            (answer(503, "/x", html, ""), Some(Refusal::Broken)),
            (answer(302, "/x", html, ""), Some(Refusal::Nonsense)),
            (Err(Silence::TimedOut), Some(Refusal::Silent(Silence::TimedOut))),
        ];
        for (reply, expected) in cases {
            assert_eq!(json(&reply).err(), expected, "{reply:?}");
        }
    }

    #[test]
    fn knows_the_page_it_asked_for() {
        let asked = request::aliases_page();
        let html = "text/html; charset=utf-8";
        assert!(very_page(&answer(200, "/settings/aliases", html, ""), &asked).is_ok());
        assert_eq!(very_page(&answer(200, "/auth/setup", html, ""), &asked), Err(Refusal::Forbidden));
        assert_eq!(very_page(&answer(200, "/auth/sign_in", html, ""), &asked), Err(Refusal::SignedOut));
        assert_eq!(
            very_page(&answer(200, "/settings/aliases", "application/json", ""), &asked),
            Err(Refusal::Nonsense)
        );
    }
}
