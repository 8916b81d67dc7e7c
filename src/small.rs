//! Ordering and looking up, once for everything. Each kind of thing that the standard library puts in order costs 3 to 7 KB
//! of the module, each kind of map 4 to 8 KB; speed is that of `n log n` here too.

use std::cmp::Ordering;

use serde_json::{Map, Value};

/// The numbers below `len` in an order; what is equal stays as it stood.
#[inline(never)]
pub fn order(len: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut all: Vec<usize> = (0..len).collect();
    let mut merged = Vec::with_capacity(len);
    let mut run = 1;
    while run < len {
        merged.clear();
        let mut start = 0;
        while start < len {
            let (middle, end) = (len.min(start + run), len.min(start + 2 * run));
            let (mut left, mut right) = (start, middle);
            while left < middle || right < end {
                let from_right =
                    right < end && (left >= middle || compare(all[left], all[right]) == Ordering::Greater);
                let from = if from_right { &mut right } else { &mut left };
                merged.push(all[*from]);
                *from += 1;
            }
            start = end;
        }
        std::mem::swap(&mut all, &mut merged);
        run *= 2;
    }
    all
}

/// Things in an order; what is equal stays as it stood.
pub fn ordered<T>(things: Vec<T>, compare: &dyn Fn(&T, &T) -> Ordering) -> Vec<T> {
    let places = order(things.len(), &|left, right| compare(&things[left], &things[right]));
    let mut things: Vec<Option<T>> = things.into_iter().map(Some).collect();
    places.into_iter().filter_map(|at| things[at].take()).collect()
}

/// Numbers in order, each once.
#[inline(never)]
pub fn set(numbers: Vec<u32>) -> Vec<u32> {
    let mut set: Vec<u32> = Vec::with_capacity(numbers.len());
    for at in order(numbers.len(), &|left, right| numbers[left].cmp(&numbers[right])) {
        if set.last() != Some(&numbers[at]) {
            set.push(numbers[at]);
        }
    }
    set
}

/// Where it is among `len` things in order; `compare` says how the thing at a place stands to it.
#[inline(never)]
pub fn find(len: usize, compare: &dyn Fn(usize) -> Ordering) -> Option<usize> {
    let (mut from, mut to) = (0, len);
    while from < to {
        let middle = from + (to - from) / 2;
        match compare(middle) {
            Ordering::Less => from = middle + 1,
            Ordering::Greater => to = middle,
            Ordering::Equal => return Some(middle),
        }
    }
    None
}

/// Texts in order, each with a number. Made of the one map that is in the module anyway, that of JSON's objects.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Names(Map<String, Value>);

impl Names {
    #[inline(never)]
    pub fn get(&self, name: &str) -> Option<usize> {
        usize::try_from(self.0.get(name)?.as_u64()?).ok()
    }

    #[inline(never)]
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// In place of the number that it had, which is given back.
    #[inline(never)]
    pub fn put(&mut self, name: &str, number: usize) -> Option<usize> {
        usize::try_from(self.0.insert(name.to_owned(), Value::from(number))?.as_u64()?).ok()
    }

    /// Where the number does not matter.
    pub fn add(&mut self, name: &str) {
        self.put(name, 0);
    }

    /// The number that it has, or has from now on.
    pub fn get_or_put(&mut self, name: &str, number: usize) -> usize {
        match self.get(name) {
            Some(number) => number,
            None => {
                self.put(name, number);
                number
            }
        }
    }

    #[inline(never)]
    pub fn remove(&mut self, name: &str) {
        self.0.remove(name);
    }

    #[inline(never)]
    pub fn first(&self) -> Option<&str> {
        self.0.keys().next().map(String::as_str)
    }

    pub fn iter(&self) -> NamesIter<'_> {
        NamesIter(self.0.iter())
    }

    #[inline(never)]
    pub fn list(&self) -> Vec<String> {
        self.iter().map(|(name, _)| name.to_owned()).collect()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }
}

/// In order of the texts.
#[derive(Clone, Debug)]
pub struct NamesIter<'a>(serde_json::map::Iter<'a>);

impl<'a> Iterator for NamesIter<'a> {
    type Item = (&'a str, usize);

    #[inline(never)]
    fn next(&mut self) -> Option<(&'a str, usize)> {
        let (name, number) = self.0.next()?;
        Some((name, number.as_u64().and_then(|number| usize::try_from(number).ok()).unwrap_or(0)))
    }
}

/// Things by name: [`Names`], and where the things lie. Nothing is ever taken out.
#[derive(Clone, Debug, PartialEq)]
pub struct Table<T> {
    names: Names,
    things: Vec<T>,
}

impl<T> Default for Table<T> {
    fn default() -> Table<T> {
        Table { names: Names::default(), things: Vec::new() }
    }
}

impl<T> Table<T> {
    pub fn get(&self, name: &str) -> Option<&T> {
        self.things.get(self.names.get(name)?)
    }

    pub fn get_mut(&mut self, name: &str) -> Option<&mut T> {
        self.things.get_mut(self.names.get(name)?)
    }

    /// In place of what it was before.
    pub fn put(&mut self, name: &str, thing: T) {
        match self.get_mut(name) {
            Some(known) => *known = thing,
            None => {
                self.names.put(name, self.things.len());
                self.things.push(thing);
            }
        }
    }

    /// What is under that name, or nothing much from now on.
    pub fn entry(&mut self, name: &str) -> &mut T
    where
        T: Default,
    {
        let at = self.names.get_or_put(name, self.things.len());
        if at == self.things.len() {
            self.things.push(T::default());
        }
        &mut self.things[at]
    }

    /// In order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.names.iter().filter_map(|(name, at)| Some((name, self.things.get(at)?)))
    }

    pub fn len(&self) -> usize {
        self.things.len()
    }

    pub fn is_empty(&self) -> bool {
        self.things.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn is_in_order_and_what_is_equal_stays(numbers in prop::collection::vec(0u32..20, 0..50)) {
            let mut expected: Vec<(u32, usize)> = numbers.iter().copied().zip(0..).collect();
            expected.sort();
            let places = order(numbers.len(), &|left, right| numbers[left].cmp(&numbers[right]));
            prop_assert_eq!(&places, &expected.iter().map(|(_, at)| *at).collect::<Vec<_>>());
            let all = ordered(numbers.clone(), &|left, right| left.cmp(right));
            for number in 0..20 {
                let found = find(all.len(), &|at| all[at].cmp(&number));
                prop_assert_eq!(found.map(|at| all[at]), numbers.contains(&number).then_some(number));
            }
            let mut once = all;
            once.dedup();
            prop_assert_eq!(set(numbers), once);
        }

        #[test]
        fn names_are_a_map(steps in prop::collection::vec(("[a-c]{0,2}", 0usize..9, any::<bool>()), 0..40)) {
            let (mut names, mut expected) = (Names::default(), std::collections::BTreeMap::new());
            for (name, number, put) in &steps {
                if *put {
                    prop_assert_eq!(names.put(name, *number), expected.insert(name.as_str(), *number));
                } else {
                    names.remove(name);
                    expected.remove(name.as_str());
                }
                prop_assert_eq!(names.get(name), expected.get(name.as_str()).copied());
                prop_assert_eq!(names.first(), expected.keys().next().copied());
            }
            prop_assert_eq!(names.iter().collect::<Vec<_>>(), expected.into_iter().collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_table_keeps_the_last_thing_under_a_name() {
        let mut table = Table::default();
        for (name, thing) in [("b", 1), ("a", 2), ("b", 3)] {
            table.put(name, thing);
        }
        assert_eq!(table.iter().collect::<Vec<_>>(), [("a", &2), ("b", &3)]);
        assert_eq!((table.get("b"), table.get("c"), table.len()), (Some(&3), None, 2));
    }
}
