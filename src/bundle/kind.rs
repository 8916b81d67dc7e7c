//! What a file is, by its first bytes. What its server said of it is not believed: it decides what a browser does with it.
//!
//! A table, not a library: `infer` knows two hundred kinds and costs 6.6 KB (gzip) in the module; what a Mastodon server
//! takes are these.

/// How a file is shown in `messages.html`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    Image,
    Video,
    Audio,
}

/// What is none of the others. Nothing shows it, nothing runs it.
pub const UNKNOWN: &str = "application/octet-stream";

/// How many of the first bytes [`sniff`] looks at.
pub const HEAD: usize = 64;

struct Kind {
    mime: &'static str,
    ext: &'static str,
    shown: Option<Shown>,
}

const fn kind(mime: &'static str, ext: &'static str, shown: Option<Shown>) -> Kind {
    Kind { mime, ext, shown }
}

static KINDS: [Kind; 16] = [
    kind("image/png", "png", Some(Shown::Image)),
    kind("image/jpeg", "jpg", Some(Shown::Image)),
    kind("image/gif", "gif", Some(Shown::Image)),
    kind("image/webp", "webp", Some(Shown::Image)),
    kind("image/avif", "avif", Some(Shown::Image)),
    // Hardly a browser shows it.
    kind("image/heic", "heic", None),
    kind("video/mp4", "mp4", Some(Shown::Video)),
    kind("video/quicktime", "mov", Some(Shown::Video)),
    kind("video/webm", "webm", Some(Shown::Video)),
    kind("video/ogg", "ogv", Some(Shown::Video)),
    kind("audio/ogg", "ogg", Some(Shown::Audio)),
    kind("audio/mpeg", "mp3", Some(Shown::Audio)),
    kind("audio/wav", "wav", Some(Shown::Audio)),
    kind("audio/flac", "flac", Some(Shown::Audio)),
    kind("audio/mp4", "m4a", Some(Shown::Audio)),
    kind("application/pdf", "pdf", None),
];

/// The MIME type of a file that begins like this.
pub fn sniff(head: &[u8]) -> &'static str {
    let head = head.get(..HEAD).unwrap_or(head);
    let at = |place: usize, sign: &[u8]| head.get(place..).is_some_and(|rest| rest.starts_with(sign));
    let within = |sign: &[u8]| head.windows(sign.len()).any(|window| window == sign);
    if at(0, b"\x89PNG\r\n\x1a\n") {
        "image/png"
    } else if at(0, b"\xff\xd8\xff") {
        "image/jpeg"
    } else if at(0, b"GIF87a") || at(0, b"GIF89a") {
        "image/gif"
    } else if at(0, b"RIFF") && at(8, b"WEBP") {
        "image/webp"
    } else if at(0, b"RIFF") && at(8, b"WAVE") {
        "audio/wav"
    } else if at(4, b"ftyp") {
        boxed(head)
    } else if at(0, b"\x1a\x45\xdf\xa3") && within(b"webm") {
        "video/webm"
    } else if at(0, b"OggS") {
        if within(b"theora") { "video/ogg" } else { "audio/ogg" }
    } else if at(0, b"fLaC") {
        "audio/flac"
    } else if at(0, b"ID3") || mpeg_audio(head) {
        "audio/mpeg"
    } else if at(0, b"%PDF-") {
        "application/pdf"
    } else {
        UNKNOWN
    }
}

/// ISO base media: which of its many children it is stands in the major brand, or in the compatible ones where the major
/// one says only that it is one of them.
fn boxed(head: &[u8]) -> &'static str {
    let length = head.get(..4).and_then(|four| four.try_into().ok()).map_or(0, u32::from_be_bytes);
    let end = usize::try_from(length).unwrap_or(usize::MAX).min(head.len());
    let brands = head.get(8..end.max(12)).unwrap_or_default();
    let (major, compatible) = brands.split_at(brands.len().min(4));
    let also = |wanted: &[u8]| compatible.chunks_exact(4).skip(1).any(|brand| brand == wanted);
    match major {
        b"avif" | b"avis" => "image/avif",
        b"heic" | b"heix" | b"hevc" | b"hevx" | b"heim" | b"heis" => "image/heic",
        b"mif1" | b"msf1" if also(b"avif") => "image/avif",
        b"mif1" | b"msf1" => "image/heic",
        b"M4A " | b"M4B " => "audio/mp4",
        b"qt  " => "video/quicktime",
        _ => "video/mp4",
    }
}

/// The header of an MPEG frame of layer III, with nothing in it that is reserved.
fn mpeg_audio(head: &[u8]) -> bool {
    matches!(head, [0xff, second, third, ..]
        if second & 0xe6 == 0xe2 && second & 0x18 != 0x08 && third & 0xf0 != 0xf0 && third & 0x0c != 0x0c)
}

fn of(mime: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.mime == mime)
}

/// The end of its name in the ZIP. What we do not know (HTML and SVG among it, which could carry scripts) is called `.bin`,
/// so that nothing opens it with a click.
pub fn ext(mime: &str) -> &'static str {
    of(mime).map_or("bin", |kind| kind.ext)
}

/// How it is shown; `None` for what is only linked.
pub fn shown(mime: &str) -> Option<Shown> {
    of(mime).and_then(|kind| kind.shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_files_by_their_beginning() {
        let cases: [(&[u8], &str, &str); 24] = [
            (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "image/png", "png"),
            (b"\xff\xd8\xff\xe0\0\x10JFIF", "image/jpeg", "jpg"),
            (b"GIF89a\x01\0", "image/gif", "gif"),
            (b"RIFF\x24\0\0\0WEBPVP8 ", "image/webp", "webp"),
            (b"RIFF\x24\0\0\0WAVEfmt ", "audio/wav", "wav"),
            (b"\0\0\0\x1cftypavif\0\0\0\0avifmif1", "image/avif", "avif"),
            (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avif", "image/avif", "avif"),
            (b"\0\0\0\x18ftypmif1\0\0\0\0heic", "image/heic", "heic"),
            (b"\0\0\0\x18ftypheic\0\0\0\0mif1", "image/heic", "heic"),
            (b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2avc1mp41", "video/mp4", "mp4"),
            (b"\0\0\0\x14ftypqt  \0\0\0\0qt  ", "video/quicktime", "mov"),
            (b"\0\0\0\x18ftypM4A \0\0\x02\0isom", "audio/mp4", "m4a"),
            (b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84webm", "video/webm", "webm"),
            (b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x88matroska", UNKNOWN, "bin"),
            (
                b"OggS\0\x02\0\0\0\0\0\0\0\0\x01\x02\x03\x04\0\0\0\0\x11\x22\x33\x44\x01\x1e\x01vorbis",
                "audio/ogg",
                "ogg",
            ),
            (
                b"OggS\0\x02\0\0\0\0\0\0\0\0\x01\x02\x03\x04\0\0\0\0\x11\x22\x33\x44\x01\x2a\x80theora",
                "video/ogg",
                "ogv",
            ),
            (b"fLaC\0\0\0\x22", "audio/flac", "flac"),
            (b"ID3\x03\0\0\0", "audio/mpeg", "mp3"),
            (b"\xff\xfb\x90\x64", "audio/mpeg", "mp3"),
            (b"%PDF-1.7", "application/pdf", "pdf"),
            (b"<svg xmlns=\"http://www.w3.org/2000/svg\"", UNKNOWN, "bin"),
            (b"<!DOCTYPE html><script>", UNKNOWN, "bin"),
            (b"\xff\xff\xff\xff", UNKNOWN, "bin"),
            (b"", UNKNOWN, "bin"),
        ];
        for (head, mime, end) in cases {
            assert_eq!((sniff(head), ext(sniff(head))), (mime, end), "{}", String::from_utf8_lossy(head));
        }
        assert_eq!((ext("text/html"), shown("text/html")), ("bin", None));
        assert_eq!((ext("image/svg+xml"), shown("image/svg+xml")), ("bin", None));
        assert_eq!(shown("video/mp4"), Some(Shown::Video));
    }

    #[test]
    fn says_something_of_every_beginning() {
        for kind in &KINDS {
            assert!(!kind.ext.is_empty());
        }
        let whole = b"\0\0\0\xffftypmif1\0\0\0\0heic";
        for end in 0..whole.len() {
            sniff(&whole[..end]);
        }
        sniff(&[0xff; 3]);
    }
}
