//! Pictures: drawn when asked for, as PNG files of stored (uncompressed) blocks, small and always the same.

use crate::http::{Kind, Reply, Request};
use crate::state::{Id, Media, Server, World};

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

pub fn path(media: &Media, size: &str) -> String {
    format!(
        "/system/media_attachments/files/{}/{size}/{:016x}.png",
        spread(media.id),
        media.id.rotate_left(17) ^ u64::from(media.tint)
    )
}

pub fn route(world: &World, request: &Request) -> Option<Reply> {
    let path = request.path.as_str();
    if path == "/avatars/original/missing.png"
        || path == "/headers/original/missing.png"
        || path == "/oops.png"
        || path == "/favicon.ico"
    {
        return Some(picture(&png(16, 16, 120), "public, max-age=2419200, must-revalidate"));
    }
    if path.starts_with("/system/media_attachments/files/") {
        let found = find(world.server(request.side), path);
        return Some(match found {
            Some(media) => {
                picture(&png(media.width, media.height, media.tint), "public, max-age=2419200, immutable")
            }
            None => Reply::new(404, Kind::Page, "*/*; charset=utf-8", "").with("vary", "Accept"),
        });
    }
    None
}

fn find<'a>(server: &'a Server, path: &str) -> Option<&'a Media> {
    server
        .statuses
        .values()
        .flat_map(|status| &status.media)
        .find(|media| path == self::path(media, "original") || path == self::path(media, "small"))
}

fn picture(bytes: &[u8], cache: &str) -> Reply {
    Reply::new(200, Kind::Media, "image/png", bytes)
        .with("cache-control", cache)
        .with("last-modified", "Sat, 21 Nov 2026 21:00:09 GMT")
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

/// A gradient in grey of the given size. At most 65,535 bytes of pixels, which is all that one stored block holds.
pub fn png(width: u32, height: u32, tint: u8) -> Vec<u8> {
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
    chunk(&mut out, b"IDAT", &packed);
    chunk(&mut out, b"IEND", &[]);
    out
}
