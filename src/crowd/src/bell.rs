//! How the thread that speaks for all clients learns for whom something has come.

use std::sync::Arc;
use std::task::Wake;
use std::thread::{self, Thread};
use std::time::Instant;

use parking_lot::Mutex;

/// The bells of all clients, and the thread that hears them: the one that made this.
pub(crate) struct Bells {
    rung: Mutex<Vec<u32>>,
    thread: Thread,
}

/// The bell of one client; its pipe rings it.
pub(crate) struct Bell {
    bells: Arc<Bells>,
    client: u32,
}

impl Bells {
    pub(crate) fn new() -> Arc<Bells> {
        Arc::new(Bells {
            rung: Mutex::default(),
            thread: thread::current(),
        })
    }

    pub(crate) fn bell(self: &Arc<Self>, client: u32) -> Arc<Bell> {
        Arc::new(Bell {
            bells: self.clone(),
            client,
        })
    }

    /// Waits until a bell rings, no longer than `until`, and puts whose rang into `rung`, which is
    /// empty. Whether there are any.
    pub(crate) fn wait(&self, until: Instant, rung: &mut Vec<u32>) -> bool {
        loop {
            std::mem::swap(&mut *self.rung.lock(), rung);
            if !rung.is_empty() {
                return true;
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            thread::park_timeout(left);
        }
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let first = {
            let mut rung = self.bells.rung.lock();
            rung.push(self.client);
            rung.len() == 1
        };
        if first {
            self.bells.thread.unpark();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;
    use std::time::Duration;

    use super::*;

    #[test]
    fn bells_that_rang_are_heard_once() {
        let bells = Bells::new();
        let wakers = [4, 7].map(|client| Waker::from(bells.bell(client)));
        let mut rung = Vec::new();
        assert!(!bells.wait(Instant::now(), &mut rung));
        // From another thread, as those of a node are.
        thread::spawn(move || wakers.iter().for_each(Waker::wake_by_ref))
            .join()
            .expect("no panic");
        let late = Instant::now() + Duration::from_secs(60);
        assert!(bells.wait(late, &mut rung));
        assert_eq!(rung, [4, 7]);
        rung.clear();
        assert!(!bells.wait(Instant::now(), &mut rung));
    }
}
