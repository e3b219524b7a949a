//! Memory for results: rows of a C layout and the texts they point to, built once, read by any
//! thread, freed together.

use bumpalo::Bump;
use std::ffi::c_char;
use std::ptr;

/// A NUL-terminated text in an arena. It may hold a NUL itself, so its length goes beside it.
#[derive(Clone, Copy, Debug)]
pub struct Text {
    /// Never null.
    pub ptr: *const c_char,
    /// Without the NUL at the end.
    pub len: usize,
}

/// Bytes in an arena.
#[derive(Clone, Copy, Debug)]
pub struct Bytes {
    /// Never null.
    pub ptr: *const u8,
    /// How many there are.
    pub len: usize,
}

/// A list of NUL-terminated texts in an arena.
#[derive(Clone, Copy, Debug)]
pub struct TextList {
    /// Never null.
    pub ptr: *const *const c_char,
    /// How many there are.
    pub count: usize,
}

/// A list of rows in an arena, for a row that points to them.
#[derive(Clone, Copy, Debug)]
pub struct RowList<R> {
    /// Never null.
    pub ptr: *const *const R,
    /// How many there are.
    pub count: usize,
}

/// Texts or values that lie one after the other, so that a language without structs copies all of
/// them at once. They move as it grows: where they are is known when it is in an arena.
pub type Run = Vec<u8>;

/// Memory that stays where it is until all of it is freed.
#[derive(Debug, Default)]
pub struct Arena {
    bump: Bump,
    runs: Vec<Run>,
}

impl Arena {
    /// An arena that takes this many bytes without asking the allocator again.
    pub fn with_capacity(bytes: usize) -> Arena {
        Arena { bump: Bump::with_capacity(bytes), runs: Vec::new() }
    }

    /// Copies a text and ends it with a NUL.
    pub fn text(&self, text: &str) -> Text {
        if text.is_empty() {
            return Text { ptr: c"".as_ptr(), len: 0 };
        }
        let copy = self.bump.alloc_slice_fill_copy(text.len() + 1, 0);
        copy[..text.len()].copy_from_slice(text.as_bytes());
        Text { ptr: copy.as_ptr().cast(), len: text.len() }
    }

    /// Copies a list of texts.
    pub fn texts<'a>(&self, texts: impl ExactSizeIterator<Item = &'a str>) -> TextList {
        let list = self.bump.alloc_slice_fill_iter(texts.map(|text| self.text(text).ptr));
        TextList { ptr: list.as_ptr(), count: list.len() }
    }

    /// Copies bytes.
    pub fn copy(&self, bytes: &[u8]) -> Bytes {
        if bytes.is_empty() {
            return Bytes { ptr: c"".as_ptr().cast(), len: 0 };
        }
        let copy = self.bump.alloc_slice_copy(bytes);
        Bytes { ptr: copy.as_ptr(), len: copy.len() }
    }

    /// Takes in so many bytes, which `write` puts into their place; `None` when it cannot.
    pub fn bytes(&self, len: usize, write: impl FnOnce(&mut [u8]) -> Option<()>) -> Option<Bytes> {
        if len == 0 {
            return Some(Bytes { ptr: c"".as_ptr().cast(), len: 0 });
        }
        let place = self.bump.alloc_slice_fill_copy(len, 0);
        write(place)?;
        Some(Bytes { ptr: place.as_ptr(), len })
    }

    /// Takes in a run, and says where it begins. Never null.
    pub fn run(&mut self, run: Run) -> *const u8 {
        if run.is_empty() {
            return c"".as_ptr().cast();
        }
        let start = run.as_ptr();
        self.runs.push(run);
        start
    }

    /// Takes in one row, for a row that another one points to.
    pub fn row<R>(&self, row: R) -> *const R {
        const { assert!(!std::mem::needs_drop::<R>(), "an arena drops nothing") };
        self.bump.alloc(row)
    }

    /// Takes in many rows. They grow in later versions, so C reaches each by its own pointer.
    pub fn rows<R>(&self, rows: impl ExactSizeIterator<Item = R>) -> RowList<R> {
        let list = self.bump.alloc_slice_fill_iter(rows.map(|row| self.row(row)));
        RowList { ptr: list.as_ptr(), count: list.len() }
    }
}

/// A read-only struct that C sees.
///
/// # Safety
/// `#[repr(C)]`, and every pointer in it leads into the arena it was made with, or to a static.
pub unsafe trait Row {}

/// An answer's rows while they are put together.
#[derive(Debug)]
pub struct RowsBuilder<R> {
    rows: Vec<R>,
    /// Where the texts of the rows go.
    pub arena: Arena,
}

// SAFETY: rows point only to memory that moves with them, and one thread at a time fills it.
unsafe impl<R: Row> Send for RowsBuilder<R> {}

// Derived, it would ask for `R: Default`.
impl<R> Default for RowsBuilder<R> {
    fn default() -> RowsBuilder<R> {
        RowsBuilder { rows: Vec::new(), arena: Arena::default() }
    }
}

impl<R: Row> RowsBuilder<R> {
    /// Makes room for this many rows more.
    pub fn reserve(&mut self, rows: usize) {
        self.rows.reserve(rows);
    }

    /// Room for this many rows, and for this many bytes of text with their NULs.
    pub fn with_capacity(rows: usize, bytes: usize) -> RowsBuilder<R> {
        RowsBuilder { rows: Vec::with_capacity(rows), arena: Arena::with_capacity(bytes) }
    }

    /// Adds a row.
    pub fn push(&mut self, row: R) {
        const { assert!(!std::mem::needs_drop::<R>(), "a row owns nothing") };
        self.rows.push(row);
    }

    /// The rows so far, to tell them where their runs are.
    pub fn rows_mut(&mut self) -> &mut [R] {
        &mut self.rows
    }

    /// The rows, which do not change any more.
    pub fn finish(self) -> Rows<R> {
        Rows { rows: self.rows, _arena: self.arena }
    }
}

/// The rows of an answer, one after the other as the header promises of some, and the arena they
/// point into.
#[derive(Debug)]
pub struct Rows<R> {
    rows: Vec<R>,
    _arena: Arena,
}

// SAFETY: rows point only to memory that moves and is freed with them.
unsafe impl<R: Row> Send for Rows<R> {}
// SAFETY: as above, and nothing reaches the arena any more, so all of it is read-only.
unsafe impl<R: Row> Sync for Rows<R> {}

impl<R: Row> Rows<R> {
    /// How many rows there are.
    pub fn count(&self) -> usize {
        self.rows.len()
    }

    /// One row, valid as long as `self`; null past the end.
    pub fn at(&self, index: usize) -> *const R {
        self.rows.get(index).map_or(ptr::null(), ptr::from_ref)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::CStr;

    #[repr(C)]
    struct Pair {
        key: *const c_char,
        key_len: usize,
        value: *const u8,
        value_len: usize,
        tags: *const *const c_char,
        tags_count: usize,
    }

    // SAFETY: the test makes it from the arena alone.
    unsafe impl Row for Pair {}

    fn string(text: *const c_char) -> &'static str {
        // SAFETY: the tests pass texts of a live arena.
        unsafe { CStr::from_ptr(text) }.to_str().unwrap()
    }

    fn rows(count: usize) -> Rows<Pair> {
        let mut rows = RowsBuilder::with_capacity(1, 16);
        for number in 0..count {
            let key = rows.arena.text(&format!("key/{number}"));
            let value = rows.arena.bytes(number, |place| {
                place.fill(7);
                Some(())
            });
            let value = value.unwrap();
            let tags = rows.arena.texts(["a", "", "b"].into_iter());
            rows.push(Pair {
                key: key.ptr,
                key_len: key.len,
                value: value.ptr,
                value_len: value.len,
                tags: tags.ptr,
                tags_count: tags.count,
            });
        }
        rows.finish()
    }

    #[test]
    fn rows_and_their_texts_stay_in_place() {
        let rows = Box::new(rows(100));
        let rows = std::thread::spawn(move || rows).join().unwrap();
        assert_eq!(rows.count(), 100);
        for number in 0..100 {
            // SAFETY: below the count.
            let pair = unsafe { &*rows.at(number) };
            assert_eq!(string(pair.key), format!("key/{number}"));
            assert_eq!(pair.key_len, string(pair.key).len());
            // SAFETY: the row's own bytes and list.
            let (value, tags) = unsafe {
                (
                    std::slice::from_raw_parts(pair.value, pair.value_len),
                    std::slice::from_raw_parts(pair.tags, pair.tags_count),
                )
            };
            assert_eq!(value, vec![7; number]);
            assert_eq!(tags.iter().map(|&tag| string(tag)).collect::<Vec<_>>(), ["a", "", "b"]);
        }
        assert!(rows.at(100).is_null() && rows.at(usize::MAX).is_null());
    }

    #[test]
    fn a_text_may_hold_a_nul() {
        let arena = Arena::default();
        let text = arena.text("a\0b");
        assert_eq!((string(text.ptr), text.len), ("a", 3));
        assert_eq!((string(arena.text("").ptr), arena.text("").len), ("", 0));
    }
}
