//! What a message says: its HTML, which whoever wrote it may have made anything of, as a few harmless kinds of text.
