//! One's own profile and preferences: `update_credentials`, `/api/v1/profile` (4.6 and later), `/api/v1/preferences`.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Call, entity, invalid_token, not_found, truthy};
use crate::http::Reply;
use crate::state::{Id, Picture, random};
use crate::version::Version;

const FIELDS: usize = 4;
const LARGEST_PICTURE: usize = 8 * 1024 * 1024;

/// Refusals of the profile carry their details since 4.6 (captures 4.6.5-api/profile).
fn refused(call: &Call, field: &str, code: &str, text: &str) -> Reply {
    let mut name = field.replace('_', " ");
    if let Some(first) = name.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    let mut out = json!({ "error": format!("Validation failed: {name} {text}") });
    if call.version().at_least(Version::V4_6) {
        out["details"] = json!({ field: [{ "error": code, "description": text }] });
    }
    Reply::json(422, &out)
}

/// `fields_attributes` as a form, a list or a hash; `None` where there are none.
fn fields(call: &Call) -> Option<Vec<(String, String)>> {
    let form: Vec<(String, String)> = (0..20)
        .filter_map(|index| {
            Some((
                call.request.param(&format!("fields_attributes[{index}][name]"))?,
                call.request.param(&format!("fields_attributes[{index}][value]"))?,
            ))
        })
        .collect();
    let json = call.request.json.as_ref().and_then(|json| json.get("fields_attributes"));
    let list: Vec<&Value> = match json {
        Some(Value::Array(list)) => list.iter().collect(),
        Some(Value::Object(map)) => map.values().collect(),
        _ if form.is_empty() => return None,
        _ => Vec::new(),
    };
    let text = |entry: &Value, name: &str| entry[name].as_str().unwrap_or_default().to_owned();
    let all = list.into_iter().map(|entry| (text(entry, "name"), text(entry, "value"))).chain(form);
    // Over 255 characters are cut without a word (facts 13.2), and blanks fall off.
    let cut = |text: String| text.trim().chars().take(255).collect::<String>();
    Some(
        all.filter(|(name, value)| !(name.is_empty() && value.is_empty()))
            .map(|(name, value)| (cut(name), cut(value)))
            .collect(),
    )
}

/// As `NoteLengthValidator` does it: an address counts 23 (captures, `update_credentials_bio_500_with_url`).
fn counted(note: &str) -> usize {
    let word = |word: &str| {
        let address = word.starts_with("https://") || word.starts_with("http://");
        // Of a mention only the name counts.
        let local = word.strip_prefix('@').and_then(|rest| rest.split_once('@')).map(|(local, _)| local);
        match local {
            _ if address => 23,
            Some(local) => 1 + local.chars().count(),
            None => word.chars().count(),
        }
    };
    note.split_inclusive(char::is_whitespace)
        .map(|part| {
            let blank = part.chars().next_back().is_some_and(char::is_whitespace);
            word(part.trim_end()) + usize::from(blank)
        })
        .sum()
}

fn picture(call: &Call, field: &str) -> Result<Option<Picture>, Reply> {
    let Some(file) = call.request.files.iter().find(|file| file.field == field) else { return Ok(None) };
    let (content_type, extension) = match file.bytes.as_slice() {
        [0x89, b'P', b'N', b'G', ..] => ("image/png", "png"),
        [0xff, 0xd8, ..] => ("image/jpeg", "jpg"),
        [b'G', b'I', b'F', ..] => ("image/gif", "gif"),
        [b'R', b'I', b'F', b'F', ..] => ("image/webp", "webp"),
        _ => {
            let text = "has contents that are not what they are reported to be";
            return Err(refused(call, field, "ERR_SPOOFED_MEDIA_TYPE", text));
        }
    };
    if file.bytes.len() > LARGEST_PICTURE {
        return Err(refused(call, field, "ERR_TOO_BIG", "file size must be less than 8 MB"));
    }
    Ok(Some(Picture {
        content_type: content_type.to_owned(),
        name: format!("{:016x}.{extension}", random()),
        description: String::new(),
        bytes: Arc::new(file.bytes.clone()),
    }))
}

fn apply(call: &mut Call, me: Id) -> Result<(), Reply> {
    let text = |name: &str| call.request.param(name);
    let (name, note) = (text("display_name"), text("note"));
    let most = if call.version().at_least(Version::V4_6) { 40 } else { 30 };
    if name.as_ref().is_some_and(|name| name.chars().count() > most) {
        let text = format!("is too long (maximum is {most} characters)");
        return Err(refused(call, "display_name", "ERR_TOO_LONG", &text));
    }
    if note.as_ref().is_some_and(|note| counted(note) > 500) {
        return Err(refused(call, "note", "ERR_TOO_LONG", "is too long (maximum is 500 characters)"));
    }
    let fields = fields(call);
    if fields.as_ref().is_some_and(|fields| fields.len() > FIELDS) {
        let text = format!("is too long (maximum is {FIELDS} characters)");
        return Err(refused(call, "fields", "ERR_TOO_LONG", &text));
    }
    let (avatar, header) = (picture(call, "avatar")?, picture(call, "header")?);
    let flag = |name: &str| call.request.param(name).map(|value| truthy(&value));
    let (locked, bot, discoverable) = (flag("locked"), flag("bot"), flag("discoverable"));
    let newer = |told: Option<bool>| told.filter(|_| call.version().at_least(Version::V4_2));
    let (indexable, hidden) = (newer(flag("indexable")), newer(flag("hide_collections")));
    let described = call.version().at_least(Version::V4_6);
    let descriptions =
        [text("avatar_description"), text("header_description")].map(|text| text.filter(|_| described));
    if descriptions.iter().flatten().any(|text| text.chars().count() > 150) {
        return Err(refused(
            call,
            "avatar_description",
            "ERR_TOO_LONG",
            "is too long (maximum is 150 characters)",
        ));
    }
    let settings: Vec<(&str, String)> = ["privacy", "sensitive", "language", "quote_policy"]
        .into_iter()
        .filter_map(|name| Some((name, call.request.nested("source", name)?)))
        .collect();
    let Some(account) = call.server_mut().account_mut(me) else { return Err(invalid_token()) };
    account.display_name = name.map_or(account.display_name.clone(), |name| name.trim().to_owned());
    account.note = note.map_or(account.note.clone(), |note| note.trim().to_owned());
    account.locked = locked.unwrap_or(account.locked);
    account.bot = bot.unwrap_or(account.bot);
    account.indexable = indexable.unwrap_or(account.indexable);
    account.discoverable = discoverable.or(account.discoverable);
    account.hide_collections = hidden.or(account.hide_collections);
    account.fields = fields.unwrap_or(account.fields.clone());
    account.avatar = avatar.or(account.avatar.take());
    account.header = header.or(account.header.take());
    let [first, second] = descriptions;
    for (slot, text) in [(&mut account.avatar, first), (&mut account.header, second)] {
        if let (Some(picture), Some(text)) = (slot, text) {
            picture.description = text;
        }
    }
    if let Some(user) = account.user.as_mut() {
        for (name, value) in settings {
            user.settings.insert(format!("default_{name}"), value);
        }
    }
    if locked == Some(false) {
        crate::relations::accept_all(call.world, call.request.side, me);
    }
    Ok(())
}

pub fn update(call: &mut Call) -> Result<Reply, Reply> {
    let me = call.require_user()?;
    apply(call, me)?;
    let account = call.server().account(me).ok_or_else(not_found)?;
    Ok(Reply::json(200, &entity::credentials(call.server(), account)))
}

/// `DELETE /api/v1/profile/avatar` and `…/header`, 4.2 and later.
pub fn remove_picture(call: &mut Call, which: &str) -> Result<Reply, Reply> {
    let me = call.require_user()?;
    if !call.version().at_least(Version::V4_2) {
        return Err(not_found());
    }
    let Some(account) = call.server_mut().account_mut(me) else { return Err(invalid_token()) };
    if which == "avatar" {
        account.avatar = None;
    } else {
        account.header = None;
    }
    let account = call.server().account(me).ok_or_else(not_found)?;
    Ok(Reply::json(200, &entity::credentials(call.server(), account)))
}

/// `/api/v1/profile`, 4.6 and later.
pub fn profile(call: &mut Call) -> Result<Reply, Reply> {
    if !call.version().at_least(Version::V4_6) {
        return Err(not_found());
    }
    let me = call.require_user()?;
    if call.request.method == "PATCH" {
        apply(call, me)?;
    }
    let server = call.server();
    let account = server.account(me).ok_or_else(not_found)?;
    let fields: Vec<Value> = account
        .fields
        .iter()
        .map(|(name, value)| json!({ "name": name, "value": value, "verified_at": null }))
        .collect();
    let address = |picture: &Option<Picture>, kind: &str| {
        picture.as_ref().map(|picture| crate::media::picture_address(server, me, picture, kind))
    };
    let said = |picture: &Option<Picture>| {
        picture.as_ref().map(|picture| picture.description.clone()).unwrap_or_default()
    };
    let (avatar, header) = (address(&account.avatar, "avatars"), address(&account.header, "headers"));
    Ok(Reply::json(
        200,
        &json!({
            "id": me.to_string(), "display_name": account.display_name, "note": account.note, "fields": fields, "formatted_note": format!("<p>{}</p>", account.note.replace('&', "&amp;").replace('<', "&lt;")),
            "formatted_fields": fields, "avatar": avatar, "avatar_static": avatar, "avatar_description": said(&account.avatar), "header": header, "header_static": header,
            "header_description": said(&account.header), "locked": account.locked, "bot": account.bot, "hide_collections": account.hide_collections, "discoverable": account.discoverable,
            "indexable": account.indexable, "show_media": true, "show_media_replies": true, "show_featured": true, "attribution_domains": [], "featured_tags": super::tags::featured_of(call, me),
        }),
    ))
}

pub fn preferences(call: &Call) -> Result<Reply, Reply> {
    let me = call.require_user()?;
    let setting = |name: &str| call.server().user(me).and_then(|user| user.settings.get(name).cloned());
    let mut preferences = json!({
        "posting:default:visibility": setting("default_privacy").unwrap_or_else(|| "public".to_owned()),
        "posting:default:sensitive": setting("default_sensitive").is_some_and(|value| truthy(&value)),
        "posting:default:language": setting("default_language").unwrap_or_else(|| "en".to_owned()),
        "reading:expand:media": "default", "reading:expand:spoilers": false, "reading:autoplay:gifs": false,
    });
    if call.version().at_least(Version::V4_5) {
        preferences["posting:default:quote_policy"] =
            json!(setting("default_quote_policy").unwrap_or_else(|| "public".to_owned()));
    }
    Ok(Reply::json(200, &preferences))
}
