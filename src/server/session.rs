//! `#initial-state`: who is signed in, and whether the server lets them do anything.

use serde_json::Value;

use super::entity::Account;
use super::markup::Markup;
use super::version::Version;
use crate::account::{Domain, Handle};
use crate::plain;

/// More than any server sends (20 KB); a hostile page gets no further with a larger one.
const LARGEST: usize = 1_000_000;

/// What a page says about the person who is looking at it. The token is noted as there or not, and left where it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Session {
    pub domain: Domain,
    pub version: Option<Version>,
    pub account: Account,
    pub standing: Standing,
}

/// Facts 2.1: since 4.0 an account that is not functional gets no token and is called `disabled_account_id`.
#[derive(Clone, Debug, PartialEq)]
pub enum Standing {
    Functional,
    /// E-mail never confirmed, approval pending, or disabled: the page does not say which.
    Held,
    Moved(Option<Handle>),
    /// Up to 3.5 everybody has a token, and the page tells nothing.
    Untold,
}

impl Session {
    /// Reads the session out of a page; `None` when nobody is signed in or the state is missing, broken or hostile.
    pub fn read(page: &dyn Markup) -> Option<Session> {
        let text = page.first("script#initial-state[type=\"application/json\"]")?.text();
        if text.len() > LARGEST {
            return None;
        }
        Session::from_state(&plain::json(&text)?)
    }

    fn from_state(state: &Value) -> Option<Session> {
        let meta = state.get("meta")?;
        let text = |key: &str| meta.get(key).and_then(Value::as_str);
        let domain: Domain = text("domain")?.parse().ok()?;
        let version = text("version").and_then(Version::parse);
        let account = |id: &str| Account::read(state.get("accounts")?.get(id)?, &domain);
        let (id, standing) = match (text("me"), text("disabled_account_id"), text("moved_to_account_id")) {
            (Some(me), _, _) => {
                let told = version.as_ref().is_some_and(|v| v.at_least(4, 0));
                (me, if told { Standing::Functional } else { Standing::Untold })
            }
            (None, Some(held), None) => (held, Standing::Held),
            (None, Some(held), Some(target)) => (held, Standing::Moved(account(target).map(|a| a.handle))),
            (None, None, _) => return None,
        };
        Some(Session { account: account(id)?, domain, version, standing })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn state(meta: Value) -> Value {
        json!({"meta": meta, "accounts": {
            "1": {"id": "1", "acct": "ana"},
            "2": {"id": "2", "acct": "ana@new.example"}}})
    }

    #[test]
    fn tells_who_is_signed_in_and_how_they_stand() {
        let cases = [
            (json!({"me": "1", "version": "4.6.5", "domain": "old.example"}), Some(Standing::Functional)),
            (json!({"me": "1", "version": "3.5.3", "domain": "old.example"}), Some(Standing::Untold)),
            (
                json!({"disabled_account_id": "1", "version": "4.6.5", "domain": "old.example"}),
                Some(Standing::Held),
            ),
            (
                json!({"disabled_account_id": "1", "moved_to_account_id": "2", "domain": "old.example"}),
                Some(Standing::Moved(Some("ana@new.example".parse().unwrap()))),
            ),
            (
                json!({"disabled_account_id": "1", "moved_to_account_id": "9", "domain": "old.example"}),
                Some(Standing::Moved(None)),
            ),
            (json!({"version": "4.6.5", "domain": "old.example"}), None),
            (json!({"me": "7", "domain": "old.example"}), None),
            (json!({"me": "1", "domain": "<script>"}), None),
            (json!("hostile"), None),
        ];
        for (meta, expected) in cases {
            assert_eq!(Session::from_state(&state(meta.clone())).map(|s| s.standing), expected, "{meta}");
        }
        assert_eq!(Session::from_state(&json!([1])), None);
    }
}
