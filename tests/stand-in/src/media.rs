//! Attachments: made when asked for, small and always the same: PNG files of stored (uncompressed) blocks, JPEG files, a film.

use crate::http::{Kind, Reply, Request};
use crate::limits;
use crate::state::{Id, Media, MediaKind, Server, Side, World};

/// `117/656/440/675/172/611`, as Paperclip spreads ids over folders.
pub fn spread(id: Id) -> String {
    let digits = format!("{id:018}");
    digits
        .as_bytes()
        .chunks(3)
        .map(|chunk| String::from_utf8_lossy(chunk).into_owned())
        .collect::<Vec<_>>()
        .join("/")
}

/// Below `/system`, or below the root of a media host of its own.
fn path(media: &Media, size: &str) -> String {
    let extension = match media.kind {
        MediaKind::Png => "png",
        MediaKind::Jpeg => "jpg",
        // The preview of a film is a picture.
        MediaKind::Mp4 if size == "small" => "png",
        MediaKind::Mp4 => "mp4",
    };
    let name = media
        .file_name
        .clone()
        .unwrap_or_else(|| format!("{:016x}.{extension}", media.id.rotate_left(17) ^ u64::from(media.tint)));
    let cache = if media.remote_url.is_some() { "/cache" } else { "" };
    format!("{cache}/media_attachments/files/{}/{size}/{name}", spread(media.id))
}

/// The address that a status gives. What is not in the cache is asked for through `media_proxy`, which fetches it (facts 13.1 point 8).
pub fn address(server: &Server, media: &Media, size: &str) -> String {
    if !media.cached {
        return format!("{}/media_proxy/{}/{size}", server.origin, media.id);
    }
    match &server.media_host {
        Some(host) => format!("{host}{}", path(media, size)),
        None => format!("{}/system{}", server.origin, path(media, size)),
    }
}

/// The address of an avatar or a header.
pub fn picture_address(server: &Server, id: Id, picture: &crate::state::Picture, kind: &str) -> String {
    let cache = if server.account(id).is_some_and(crate::state::Account::is_local) { "" } else { "/cache" };
    let root = server.media_host.clone().unwrap_or_else(|| format!("{}/system", server.origin));
    format!("{root}{cache}/accounts/{kind}/{}/original/{}", spread(id), picture.name)
}

/// The number in a path of folders of three digits.
fn number(rest: &str) -> Option<Id> {
    rest.split('/')
        .take_while(|part| part.len() == 3 && part.bytes().all(|byte| byte.is_ascii_digit()))
        .collect::<String>()
        .parse()
        .ok()
}

/// Content type and bytes as they are served.
pub fn file(media: &Media, size: &str) -> (&'static str, Vec<u8>) {
    let picture = || png(media.width, media.height, media.tint, media.id);
    match media.kind {
        MediaKind::Png => ("image/png", picture()),
        MediaKind::Mp4 if size == "small" => ("image/png", picture()),
        MediaKind::Jpeg => ("image/jpeg", jpeg(media.width, media.height, media.tint, media.id)),
        MediaKind::Mp4 => ("video/mp4", mp4(media.id)),
    }
}

/// The checksum of the original as it is served: uploads are re-encoded, so there is no other (facts 13.1 point 8).
pub fn checksum(media: &Media) -> String {
    crate::sha256::hex(&file(media, "original").1)
}

pub fn route(world: &mut World, request: &Request) -> Option<Reply> {
    let path = request.path.as_str();
    if path == "/avatars/original/missing.png"
        || path == "/headers/original/missing.png"
        || path == "/oops.png"
        || path == "/favicon.ico"
    {
        return Some(picture(
            request,
            "image/png",
            &png(16, 16, 120, 0),
            "public, max-age=2419200, must-revalidate",
        ));
    }
    if path.starts_with("/media_proxy/") {
        return Some(proxy(world, request));
    }
    let server = world.server(request.side);
    let below = path.strip_prefix("/system")?;
    // With a media host of its own the server has no files itself.
    Some(if server.media_host.is_some() {
        missing()
    } else {
        stored(server, request, below).unwrap_or_else(missing)
    })
}

/// A file of either server, asked for at the media host.
pub fn at_the_media_host(world: &World, request: &Request) -> Reply {
    Side::BOTH
        .into_iter()
        .find_map(|side| stored(world.server(side), request, &request.path))
        .unwrap_or_else(missing)
}

fn missing() -> Reply {
    Reply::new(404, Kind::Page, "*/*; charset=utf-8", "").with("vary", "Accept")
}

fn stored(server: &Server, request: &Request, below: &str) -> Option<Reply> {
    const LONG: &str = "public, max-age=2419200, immutable";
    if below.starts_with("/custom_emojis/images/") || below.starts_with("/cache/custom_emojis/images/") {
        let number = below.chars().filter(char::is_ascii_digit).take(9).collect::<String>().parse().ok()?;
        return Some(picture(request, "image/png", &png(20, 20, 200, number), LONG));
    }
    if let Some((_, rest)) = below.split_once("accounts/avatars/").or(below.split_once("accounts/headers/")) {
        let account = server.account(number(rest)?)?;
        let kept = if below.contains("/avatars/") { &account.avatar } else { &account.header };
        let kept = kept.as_ref().filter(|kept| below.ends_with(&kept.name))?;
        return Some(picture(request, &kept.content_type, &kept.bytes, LONG));
    }
    let (_, rest) = below.split_once("media_attachments/files/")?;
    let id = number(rest)?;
    let media = find(server, id)?;
    let size = ["original", "small"].into_iter().find(|size| {
        let path = path(media, size);
        path == below || (media.file_name.is_some() && below.contains(&format!("/{size}/")))
    })?;
    let (kind, bytes) = file(media, size);
    Some(picture(request, kind, &bytes, LONG))
}

fn find(server: &Server, id: Id) -> Option<&Media> {
    let status = server.statuses.get(server.media.get(&id)?)?;
    status.media.iter().find(|media| media.id == id)
}

/// `/media_proxy/ID/original`: the reader must be allowed to see the status; then on to the file, fetched if it was not there (facts 13.1 point 8). For each
/// address thirty in ten minutes.
fn proxy(world: &mut World, request: &Request) -> Reply {
    let now = world.now();
    let server = world.server_mut(request.side);
    if let Err(verdict) = limits::count_proxy(server, request, now) {
        return limits::refusal(verdict);
    }
    let parts = request.segments();
    let id: Option<Id> = parts.get(1).and_then(|id| id.parse().ok());
    let size = if parts.get(2).is_some_and(|size| size == "small") { "small" } else { "original" };
    let me = request
        .cookie("_mastodon_session")
        .and_then(|key| server.sessions.get(key))
        .and_then(|session| session.account);
    let Some(id) = id else { return missing() };
    let Some(status) = server.media.get(&id).copied() else { return missing() };
    let allowed =
        server.statuses.get(&status).is_some_and(|status| crate::social::may_read(server, status, me));
    if !allowed {
        return missing();
    }
    if let Some(media) = server
        .statuses
        .get_mut(&status)
        .and_then(|status| status.media.iter_mut().find(|media| media.id == id))
    {
        media.cached = true;
    }
    match find(server, id) {
        Some(media) => Reply::redirect(&address(server, media, size)),
        None => missing(),
    }
}

/// A file, or the part of it that `Range` asks for.
fn picture(request: &Request, kind: &str, bytes: &[u8], cache: &str) -> Reply {
    let part = request.header("range").and_then(|range| {
        let (start, end) = range.strip_prefix("bytes=")?.split_once('-')?;
        let start: usize = start.parse().ok()?;
        let end = end.parse::<usize>().unwrap_or(usize::MAX).min(bytes.len().checked_sub(1)?);
        Some((start, end, bytes.get(start..=end)?))
    });
    let reply = match part {
        Some((start, end, part)) => Reply::new(206, Kind::Media, kind, part)
            .with("content-range", &format!("bytes {start}-{end}/{}", bytes.len())),
        None => Reply::new(200, Kind::Media, kind, bytes),
    };
    reply.with("cache-control", cache).with("last-modified", "Sat, 21 Nov 2026 21:00:09 GMT")
}

fn crc(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { 0xedb8_8320 ^ (crc >> 1) } else { crc >> 1 };
        }
    }
    !crc
}

fn adler(bytes: &[u8]) -> u32 {
    let (mut low, mut high) = (1_u32, 0_u32);
    for byte in bytes {
        low = (low + u32::from(*byte)) % 65_521;
        high = (high + low) % 65_521;
    }
    (high << 16) | low
}

fn chunk(out: &mut Vec<u8>, name: &[u8; 4], data: &[u8]) {
    out.extend(u32::try_from(data.len()).unwrap_or(0).to_be_bytes());
    let mut body = name.to_vec();
    body.extend(data);
    out.extend(&body);
    out.extend(crc(&body).to_be_bytes());
}

/// A gradient in grey of the given size; `number` stands in a comment, so that no two files are the same. At most 65,535 bytes of pixels, which is all that one stored block holds.
pub fn png(width: u32, height: u32, tint: u8, number: u64) -> Vec<u8> {
    let (width, height) = (width.clamp(1, 200), height.clamp(1, 200));
    let mut raw = Vec::new();
    for row in 0..height {
        raw.push(0);
        for column in 0..width {
            raw.push(u8::try_from((row * 3 + column * 2 + u32::from(tint)) % 256).unwrap_or(0));
        }
    }
    let length = u16::try_from(raw.len()).unwrap_or(u16::MAX);
    let mut packed = vec![0x78, 0x01, 0x01];
    packed.extend(length.to_le_bytes());
    packed.extend((!length).to_le_bytes());
    packed.extend(&raw);
    packed.extend(adler(&raw).to_be_bytes());
    let mut header = Vec::new();
    header.extend(width.to_be_bytes());
    header.extend(height.to_be_bytes());
    // Eight bits of grey, no interlacing.
    header.extend([8, 0, 0, 0, 0]);
    let mut out = vec![0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a];
    chunk(&mut out, b"IHDR", &header);
    chunk(&mut out, b"tEXt", format!("Comment\0{number}").as_bytes());
    chunk(&mut out, b"IDAT", &packed);
    chunk(&mut out, b"IEND", &[]);
    out
}

/// A baseline JPEG in grey, its blocks one shade each. `number` stands in a comment.
pub fn jpeg(width: u32, height: u32, tint: u8, number: u64) -> Vec<u8> {
    let (width, height) = (width.clamp(1, 200), height.clamp(1, 200));
    let mut out = vec![0xff, 0xd8];
    let mut segment = |marker: u8, data: &[u8]| {
        out.extend([0xff, marker]);
        out.extend(u16::try_from(data.len() + 2).unwrap_or(2).to_be_bytes());
        out.extend(data);
    };
    segment(0xe0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0");
    segment(0xfe, number.to_string().as_bytes());
    let mut table = vec![0];
    table.extend([8; 64]);
    segment(0xdb, &table);
    let [.., high, low] = height.to_be_bytes();
    let [.., left, right] = width.to_be_bytes();
    segment(0xc0, &[8, high, low, left, right, 1, 1, 0x11, 0]);
    // Twelve codes of four bits for the sizes of the shades, and one of one bit for "the rest of the block is nothing".
    let mut shades = vec![0x00, 0, 0, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    shades.extend(0..12);
    segment(0xc4, &shades);
    let mut rest = vec![0x10, 1];
    rest.extend([0; 16]);
    segment(0xc4, &rest);
    segment(0xda, &[1, 1, 0, 0, 63, 0]);
    let mut bits: Vec<bool> = Vec::new();
    let mut before = 0_i32;
    let blocks = width.div_ceil(8) * height.div_ceil(8);
    for block in 0..blocks {
        let shade = i32::try_from((u32::from(tint) + block * 9) % 256).unwrap_or(0) - 128;
        let change = shade - before;
        before = shade;
        let size = 32 - change.unsigned_abs().leading_zeros();
        bits.extend((0..4).rev().map(|bit| size >> bit & 1 == 1));
        let value = if change < 0 { change - 1 } else { change };
        bits.extend((0..size).rev().map(|bit| value >> bit & 1 == 1));
        bits.push(false);
    }
    while !bits.len().is_multiple_of(8) {
        bits.push(true);
    }
    for byte in bits.chunks(8) {
        let byte = byte.iter().fold(0_u8, |byte, bit| byte << 1 | u8::from(*bit));
        out.push(byte);
        if byte == 0xff {
            out.push(0);
        }
    }
    out.extend([0xff, 0xd9]);
    out
}

/// The beginning of a film and some bytes of it: enough to be told by its first bytes.
fn mp4(number: u64) -> Vec<u8> {
    let mut out = Vec::new();
    let mut part = |name: &[u8; 4], data: &[u8]| {
        out.extend(u32::try_from(data.len() + 8).unwrap_or(8).to_be_bytes());
        out.extend(name);
        out.extend(data);
    };
    part(b"ftyp", b"isom\0\0\x02\0isomiso2avc1mp41");
    part(b"free", number.to_string().as_bytes());
    let data: Vec<u8> =
        (0..2_000_u64).map(|at| (number.rotate_left((at % 64) as u32) ^ at).to_le_bytes()[0]).collect();
    part(b"mdat", &data);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_files_are_alike() {
        let mut all: Vec<Vec<u8>> =
            (1..4).flat_map(|id| [png(32, 20, 7, id), jpeg(32, 20, 7, id), mp4(id)]).collect();
        assert!(all.iter().any(|file| file.starts_with(&[0xff, 0xd8, 0xff])));
        let count = all.len();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), count);
    }
}
