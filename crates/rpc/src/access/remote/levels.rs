//! Asking for levels: who asks the same while an answer is on its way shares it, and few are on their way at
//! once. After a decision every open session asks again, thousands at the same moment.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use acl::AccessLevel;
use event::{Pubkey, Rejection};
use parking_lot::Mutex;
use tokio::sync::{OnceCell, Semaphore};

/// How many answers may be on their way at once.
const MOST: usize = 32;

type Answer = OnceCell<Result<AccessLevel, Rejection>>;

/// What is asked. An answer from before a decision is none after it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Question {
    pub(super) pubkey: Option<Pubkey>,
    pub(super) address: IpAddr,
    pub(super) revision: u64,
}

/// The questions that are being asked.
pub(super) struct Levels {
    asked: Mutex<HashMap<Question, Arc<Answer>>>,
    permits: Semaphore,
}

impl Default for Levels {
    fn default() -> Self {
        Self { asked: Mutex::default(), permits: Semaphore::new(MOST) }
    }
}

impl Levels {
    /// The answer to a question. It is asked with `ask`, unless somebody is asking it already.
    pub(super) async fn get<A>(
        &self,
        question: Question,
        ask: impl FnOnce() -> A,
    ) -> Result<AccessLevel, Rejection>
    where
        A: Future<Output = Result<AccessLevel, Rejection>>,
    {
        let waiting = Waiting::new(self, question);
        let answer = waiting.answer.get_or_init(|| async {
            let _permit = self.permits.acquire().await.expect("nobody closes it");
            // Most wait for somebody else's: they need no room for a call.
            Box::pin(ask()).await
        });
        answer.await.clone()
    }
}

/// Somebody who waits for an answer. The last one takes the question away, so that it is asked anew.
struct Waiting<'a> {
    levels: &'a Levels,
    question: Question,
    answer: Arc<Answer>,
}

impl<'a> Waiting<'a> {
    fn new(levels: &'a Levels, question: Question) -> Self {
        let answer = Arc::clone(levels.asked.lock().entry(question).or_default());
        Self { levels, question, answer }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut asked = self.levels.asked.lock();
        let is_last = Arc::strong_count(&self.answer) == 2;
        if is_last {
            asked.remove(&self.question);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::future::join_all;
    use tokio::sync::Notify;
    use tokio::task::yield_now;

    use super::*;

    fn question(address: u32, revision: u64) -> Question {
        Question { pubkey: None, address: Ipv4Addr::from(address).into(), revision }
    }

    /// Counts what is asked, and answers when told.
    #[derive(Default)]
    struct Service {
        asked: AtomicUsize,
        under_way: AtomicUsize,
        most: AtomicUsize,
        answers: Notify,
    }

    impl Service {
        async fn ask(&self) -> Result<AccessLevel, Rejection> {
            self.asked.fetch_add(1, Ordering::Relaxed);
            let now = self.under_way.fetch_add(1, Ordering::Relaxed) + 1;
            self.most.fetch_max(now, Ordering::Relaxed);
            self.answers.notified().await;
            self.under_way.fetch_sub(1, Ordering::Relaxed);
            Ok(AccessLevel::Read)
        }

        async fn answer_all(&self, levels: &Levels) {
            while !levels.asked.lock().is_empty() {
                self.answers.notify_waiters();
                yield_now().await;
            }
        }
    }

    async fn ask_all(levels: &Levels, service: &Service, questions: &[Question]) {
        let all =
            join_all(questions.iter().map(|question| levels.get(*question, || service.ask())));
        let answering = async {
            yield_now().await;
            service.answer_all(levels).await;
        };
        let (answers, ()) = tokio::join!(all, answering);
        assert!(answers.iter().all(|answer| *answer == Ok(AccessLevel::Read)));
    }

    #[tokio::test]
    async fn who_asks_the_same_at_once_shares_an_answer() {
        let (levels, service) = (Levels::default(), Service::default());
        ask_all(&levels, &service, &[question(1, 0); 10_000]).await;
        assert_eq!(service.asked.load(Ordering::Relaxed), 1);
        ask_all(&levels, &service, &[question(1, 0)]).await;
        assert_eq!(service.asked.load(Ordering::Relaxed), 2, "an answer is not kept");
    }

    #[tokio::test]
    async fn an_answer_from_before_a_decision_is_none_after_it() {
        let (levels, service) = (Levels::default(), Service::default());
        ask_all(&levels, &service, &[question(1, 0), question(1, 1)]).await;
        assert_eq!(service.asked.load(Ordering::Relaxed), 2);
    }

    #[tokio::test]
    async fn few_answers_are_on_their_way_at_once() {
        let (levels, service) = (Levels::default(), Service::default());
        let questions: Vec<_> = (0..1000).map(|address| question(address, 0)).collect();
        ask_all(&levels, &service, &questions).await;
        assert_eq!(service.asked.load(Ordering::Relaxed), 1000);
        assert_eq!(service.most.load(Ordering::Relaxed), MOST);
    }

    #[tokio::test]
    async fn somebody_else_asks_when_who_asked_is_gone() {
        let (levels, service) = (Levels::default(), Service::default());
        let mut first = Box::pin(levels.get(question(1, 0), || service.ask()));
        assert!(futures_util::poll!(&mut first).is_pending());
        let second = [question(1, 0)];
        tokio::join!(ask_all(&levels, &service, &second), async { drop(first) });
        assert_eq!(service.asked.load(Ordering::Relaxed), 2);
        assert!(levels.asked.lock().is_empty());
    }
}
