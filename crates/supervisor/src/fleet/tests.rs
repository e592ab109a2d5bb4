use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;
use tokio::time::Instant;

use super::*;
use crate::{Ending, Health, RestartPolicy, Then};

pub(crate) fn unit(name: &str, needs: &[&str], after: &[&str]) -> Unit {
    let own = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    Unit {
        name: name.into(),
        program: name.into(),
        arguments: Vec::new(),
        environment: Vec::new(),
        needs: own(needs),
        after: own(after),
        priority: 10,
        ready_timeout: Duration::from_secs(30),
        stop_timeout: Duration::from_secs(5),
        restart: RestartPolicy::default(),
    }
}

fn appliance() -> Vec<Unit> {
    vec![
        unit("db", &[], &[]),
        unit("acl", &["db"], &[]),
        unit("sync", &["acl"], &[]),
        unit("cluster", &["acl"], &[]),
        unit("relay", &["db", "acl"], &["sync", "cluster"]),
    ]
}

/// A fleet, the processes that its orders make, and a clock.
struct World {
    fleet: Fleet,
    now: Instant,
    running: BTreeSet<usize>,
    spawned: Vec<String>,
    told: Vec<Order>,
}

impl World {
    fn new(units: Vec<Unit>) -> Self {
        let fleet = Fleet::new(units).unwrap();
        let (running, spawned, told) = (BTreeSet::new(), Vec::new(), Vec::new());
        Self { fleet, now: Instant::now(), running, spawned, told }
    }

    fn started(units: Vec<Unit>) -> Self {
        let mut world = Self::new(units);
        let orders = world.fleet.first_start(world.moment());
        world.obey(orders);
        world
    }

    fn moment(&self) -> Moment {
        Moment { now: self.now, chance: 0 }
    }

    fn tell(&mut self, input: Input) {
        let orders = self.fleet.handle(input, self.moment());
        self.obey(orders);
    }

    fn event(&mut self, name: &str, event: Event) {
        let number = self.number(name);
        self.tell(Input::Unit(number, self.fleet.run(number), event));
    }

    fn ready(&mut self, name: &str) {
        self.event(name, Event::Probed(Health::Serving));
    }

    fn all_ready() -> Self {
        let mut world = Self::started(appliance());
        for name in ["db", "acl", "sync", "cluster", "relay"] {
            world.ready(name);
        }
        world.spawned.clear();
        world.told.clear();
        world
    }

    fn end(&mut self, name: &str, ending: Ending) {
        let number = self.number(name);
        assert!(self.running.remove(&number), "{name} runs");
        self.event(name, Event::Ended(ending));
    }

    fn pass(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
        self.tell(Input::Tick);
    }

    fn number(&self, name: &str) -> usize {
        self.fleet.find(name).unwrap()
    }

    fn state(&self, name: &str) -> &State {
        self.fleet.state(self.number(name))
    }

    fn running(&self) -> Vec<&str> {
        self.running.iter().map(|&number| self.fleet.unit(number).name.as_str()).collect()
    }

    /// Does what is ordered, and holds that each order is allowed.
    fn obey(&mut self, orders: Vec<Order>) {
        for order in orders {
            match &order {
                Order::Do(number, Action::Spawn) => {
                    assert!(self.running.insert(*number), "two processes of one unit");
                    for &need in &self.fleet.members[*number].place.needs {
                        assert!(self.fleet.state(need).is_ready(), "started before what it needs");
                    }
                    self.spawned.push(self.fleet.unit(*number).name.clone());
                }
                Order::Do(number, Action::Terminate | Action::Kill) => {
                    assert!(self.running.contains(number), "a signal to nobody");
                }
                Order::Do(_, Action::Report(_)) | Order::AllReady | Order::GiveUp(..) => {}
            }
            self.told.push(order);
        }
    }
}

#[test]
fn units_start_when_what_they_need_is_ready_and_sync_services_side_by_side() {
    let mut world = World::started(appliance());
    assert_eq!(world.running(), ["db"]);
    assert_eq!(world.fleet.waits_for(4), ["db", "acl", "sync", "cluster"]);
    world.event("db", Event::Probed(Health::Unready("opening".into())));
    assert_eq!(world.running(), ["db"]);
    world.ready("db");
    world.ready("acl");
    assert_eq!(world.running(), ["db", "acl", "sync", "cluster"]);
    world.ready("cluster");
    assert!(!world.running().contains(&"relay"));
    world.ready("sync");
    world.ready("relay");
    assert_eq!(world.told.last(), Some(&Order::AllReady));
}

#[test]
fn stops_go_the_other_way_each_waiting_for_the_last() {
    let mut world = World::all_ready();
    world.tell(Input::Close);
    let stopping = |world: &World| {
        let names = ["db", "acl", "sync", "cluster", "relay"];
        let is_stopping = |name: &&str| matches!(world.state(name), State::Stopping { .. });
        names.into_iter().filter(is_stopping).collect::<Vec<_>>()
    };
    assert_eq!(stopping(&world), ["relay"]);
    world.end("relay", Ending::Code(0));
    assert_eq!(stopping(&world), ["sync", "cluster"]);
    world.end("sync", Ending::Code(0));
    assert_eq!(stopping(&world), ["cluster"]);
    world.end("cluster", Ending::Signal(15));
    world.end("acl", Ending::Code(0));
    assert!(!world.fleet.is_closed());
    world.end("db", Ending::Code(0));
    assert!(world.fleet.is_closed());
}

#[test]
fn who_does_not_stop_is_killed_after_its_time_and_not_before() {
    let mut units = appliance();
    units[0].stop_timeout = Duration::from_secs(30);
    let mut world = World::started(units);
    world.tell(Input::Close);
    world.pass(29);
    assert!(!world.told.contains(&Order::Do(0, Action::Kill)));
    world.pass(1);
    world.pass(1);
    let kills = world.told.iter().filter(|order| **order == Order::Do(0, Action::Kill));
    assert_eq!(kills.count(), 1);
}

#[test]
fn a_db_that_dies_is_started_again_alone() {
    let mut world = World::all_ready();
    world.end("db", Ending::Signal(9));
    assert_eq!(world.running(), ["acl", "sync", "cluster", "relay"]);
    world.pass(1);
    assert_eq!(world.spawned, ["db"]);
}

#[test]
fn a_relay_does_not_wait_for_a_broken_sync_service() {
    let mut world = World::all_ready();
    world.end("sync", Ending::Code(1));
    world.end("relay", Ending::Code(1));
    world.pass(1);
    assert_eq!(world.spawned, ["sync", "relay"]);
    // But it does for its store.
    world.end("db", Ending::Code(1));
    world.ready("acl");
    world.end("acl", Ending::Code(1));
    world.end("relay", Ending::Code(1));
    world.pass(1);
    assert_eq!(world.fleet.waits_for(4), ["db", "acl"]);
    assert_eq!(world.running(), ["db", "sync", "cluster"]);
}

#[test]
fn failures_wait_longer_each_time_and_end_in_a_crash_loop() {
    let mut world = World::all_ready();
    let mut waits = Vec::new();
    loop {
        world.end("relay", Ending::Code(1));
        match *world.state("relay") {
            State::Backoff { until, .. } => {
                waits.push((until - world.now).as_millis());
                world.now = until;
                world.tell(Input::Tick);
            }
            State::Failed { until, .. } => {
                assert_eq!(until, Some(world.now + Duration::from_secs(60)));
                break;
            }
            ref state => panic!("{state:?}"),
        }
    }
    assert_eq!(waits, [100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600]);
    world.pass(60);
    assert!(matches!(world.state("relay"), State::Starting { failures: 10, .. }));
    world.ready("relay");
    world.pass(60);
    world.end("relay", Ending::Code(1));
    assert!(matches!(world.state("relay"), State::Backoff { failures: 1, .. }));
}

#[test]
fn a_time_that_has_come_is_not_forgotten_unless_another_unit_is_waited_for() {
    let mut world = World::all_ready();
    world.end("relay", Ending::Code(1));
    let State::Backoff { until, .. } = *world.state("relay") else { panic!() };
    let later = until + Duration::from_secs(1);
    assert_eq!(world.fleet.deadline(world.now), Some(until));
    assert_eq!(world.fleet.deadline(later), Some(until));
    world.tell(Input::Stop(1));
    world.end("acl", Ending::Code(0));
    assert_eq!(world.fleet.deadline(later), None);
}

#[test]
fn an_exit_code_that_says_hopeless_is_not_tried_again() {
    let mut units = appliance();
    units[0].restart.hopeless_codes = vec![64];
    let mut world = World::started(units);
    world.end("db", Ending::Code(64));
    assert_eq!(world.spawned, ["db"]);
    assert!(world.told.contains(&Order::GiveUp(0, Cause::Ended(Ending::Code(64)))));
    assert!(world.fleet.is_closed());
}

#[test]
fn the_first_start_is_given_up_when_a_unit_is_late_or_falls_three_times() {
    let mut world = World::started(appliance());
    world.ready("db");
    world.pass(30);
    let late = Cause::NotReady { timeout: Duration::from_secs(30), health: None };
    assert!(world.told.contains(&Order::GiveUp(1, late)));
    world.end("acl", Ending::Code(0));
    world.end("db", Ending::Code(0));
    assert!(world.fleet.is_closed());

    let mut world = World::started(appliance());
    for _ in 0..3 {
        assert!(!world.fleet.is_closed());
        world.end("db", Ending::Code(1));
        world.pass(1);
    }
    assert!(world.fleet.is_closed());
}

#[test]
fn who_does_not_answer_three_probes_is_stopped_and_started() {
    let mut world = World::all_ready();
    let silent = || Event::Probed(Health::Silent("refused".into()));
    for _ in 0..2 {
        world.event("relay", silent());
        world.event("relay", silent());
        world.event("relay", Event::Probed(Health::Unready("no db".into())));
    }
    assert!(world.state("relay").is_ready());
    for _ in 0..3 {
        world.event("relay", silent());
    }
    assert!(matches!(world.state("relay"), State::Stopping { then: Then::Fail(1), .. }));
    world.end("relay", Ending::Signal(15));
    world.pass(1);
    assert_eq!(world.spawned, ["relay"]);
}

#[test]
fn single_units_stop_and_start_without_the_others() {
    let mut world = World::all_ready();
    world.tell(Input::Restart(0));
    world.end("db", Ending::Code(0));
    world.ready("db");
    world.tell(Input::Stop(0));
    world.end("db", Ending::Code(0));
    world.pass(60);
    assert_eq!(world.running(), ["acl", "sync", "cluster", "relay"]);
    world.tell(Input::Stop(4));
    world.end("relay", Ending::Code(0));
    // What it needs comes with it.
    world.tell(Input::Start(4));
    assert_eq!(world.running(), ["db", "acl", "sync", "cluster"]);
    world.ready("db");
    assert_eq!(world.spawned, ["db", "db", "relay"]);
}

#[test]
fn who_asks_for_a_start_does_not_wait_for_the_next_try() {
    let mut world = World::all_ready();
    world.end("relay", Ending::Code(1));
    world.tell(Input::Start(4));
    assert_eq!(world.spawned, ["relay"]);
}

#[test]
fn a_restart_of_all_brings_back_what_ran() {
    let mut world = World::all_ready();
    world.tell(Input::Stop(2));
    world.end("sync", Ending::Code(0));
    world.tell(Input::RestartAll);
    for name in ["relay", "cluster", "acl", "db"] {
        world.end(name, Ending::Code(0));
    }
    for name in ["db", "acl", "cluster", "relay"] {
        world.ready(name);
    }
    assert_eq!(world.spawned, ["db", "acl", "cluster", "relay"]);
}

#[test]
fn news_of_an_earlier_run_mean_nothing() {
    let mut world = World::all_ready();
    let old = world.fleet.run(4);
    world.end("relay", Ending::Code(1));
    world.pass(1);
    world.tell(Input::Unit(4, old, Event::Probed(Health::Serving)));
    assert!(matches!(world.state("relay"), State::Starting { .. }));
}

#[derive(Clone, Debug)]
enum Step {
    Input(Input),
    /// A process ends by itself, or because it was asked to.
    End(usize, i32),
    Probe(usize, Health),
    Pass(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let unit = 0..5usize;
    let input = prop_oneof![
        unit.clone().prop_map(Input::Start),
        unit.clone().prop_map(Input::Stop),
        unit.clone().prop_map(Input::Restart),
        Just(Input::StartAll),
        Just(Input::StopAll),
        Just(Input::RestartAll),
    ];
    let health = prop_oneof![
        4 => Just(Health::Serving),
        1 => Just(Health::Unready(String::new())),
        2 => Just(Health::Silent(String::new())),
    ];
    let step = prop_oneof![
        1 => input.prop_map(Step::Input),
        4 => (unit.clone(), 0..2i32).prop_map(|(unit, code)| Step::End(unit, code)),
        8 => (unit, health).prop_map(|(unit, health)| Step::Probe(unit, health)),
        2 => (0..40u64).prop_map(Step::Pass),
    ];
    proptest::collection::vec(step, 0..200)
}

proptest! {
    /// `World::obey` holds what must hold of each order; here, that the end is always reached.
    #[test]
    fn whatever_happens_no_unit_runs_twice_and_all_stop_in_order(
        steps in steps(),
        is_first in any::<bool>(),
    ) {
        let mut world =
            if is_first { World::started(appliance()) } else { World::new(appliance()) };
        for step in steps {
            match step {
                Step::Input(input) => world.tell(input),
                Step::End(number, code) => {
                    if world.running.contains(&number) {
                        let name = world.fleet.unit(number).name.clone();
                        world.end(&name, Ending::Code(code));
                    }
                }
                Step::Probe(number, health) => {
                    if world.running.contains(&number) {
                        let name = world.fleet.unit(number).name.clone();
                        world.event(&name, Event::Probed(health));
                    }
                }
                Step::Pass(seconds) => world.pass(seconds),
            }
            for number in 0..world.fleet.len() {
                let has_process = world.fleet.state(number).has_process();
                prop_assert_eq!(has_process, world.running.contains(&number));
            }
        }
        world.tell(Input::Close);
        // Who was asked ends, the last rank first.
        while let Some(&last) = world.running.iter().next_back() {
            for &dependant in &world.fleet.members[last].place.dependants {
                prop_assert!(!world.running.contains(&dependant));
            }
            let is_asked = matches!(world.fleet.state(last), State::Stopping { .. });
            prop_assert!(is_asked);
            let name = world.fleet.unit(last).name.clone();
            world.end(&name, Ending::Code(0));
        }
        prop_assert!(world.fleet.is_closed());
        for number in 0..world.fleet.len() {
            let is_over = !world.fleet.state(number).has_process();
            prop_assert!(is_over);
        }
        world.pass(1000);
        prop_assert!(world.fleet.is_closed());
    }
}
