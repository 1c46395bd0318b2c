//! Metrics for Prometheus, on the loopback. They are made from the status when they are asked for.

use crate::{
	desk::Desk,
	status::{ClassStatus, Status},
};
use anyhow::Context;
use std::{
	net::{Ipv4Addr, SocketAddr, TcpListener},
	num::NonZeroU16,
	sync::{Arc, Mutex, PoisonError},
	thread,
	time::{Duration, Instant},
};
use substrate_prometheus_endpoint::{
	init_prometheus, MetricSource, Opts, PrometheusError, Registry, SourcedCounter, SourcedGauge,
};
use tokio::runtime::Builder;
use tracing::error;

/// How long a status serves, so that all metrics of an answer come from one.
const FRESH: Duration = Duration::from_millis(500);

/// Takes a metric's values, each with its labels, from a status.
type Tell = fn(&Status, &mut dyn FnMut(&[&str], f64));

/// Serves metrics from a thread of its own, for as long as the process lives.
pub fn serve(port: NonZeroU16, desk: &Arc<Desk>) -> anyhow::Result<()> {
	let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port.get()));
	// Tried here, because the server could only tell the log.
	let tried = TcpListener::bind(address);
	drop(tried.with_context(|| format!("--metrics-port: cannot listen on {address}"))?);
	let registry = registry(desk)?;
	let runtime = Builder::new_current_thread().enable_all().build()?;
	thread::spawn(move || {
		if let Err(e) = runtime.block_on(init_prometheus(address, registry)) {
			error!("metrics are not served: {e}");
		}
	});
	Ok(())
}

fn registry(desk: &Arc<Desk>) -> Result<Registry, PrometheusError> {
	let registry = Registry::new();
	let latest = Arc::new(Latest { desk: desk.clone(), seen: Mutex::new(None) });
	let source = |tell| Source { latest: latest.clone(), tell };
	let counters: [(&str, &str, &[&str], Tell); 4] = [
		("jobs_total", "Jobs that ended.", &["class", "result"], jobs),
		("units_total", "Units of work in jobs that were computed.", &["class"], units),
		("seconds_total", "What slots spent their time on.", &["class", "state"], seconds),
		("engine_restarts_total", "Engines replaced.", &["class", "reason"], restarts),
	];
	for (name, help, labels, tell) in counters {
		let counter = SourcedCounter::new(&options(name, help, labels), source(tell))?;
		registry.register(Box::new(counter))?;
	}
	let gauges: [(&str, &str, &[&str], Tell); 4] = [
		("rate", "Units of work a second and slot, lately.", &["class"], rate),
		("memory_bytes", "Memory in use.", &["of"], memory),
		("queue_jobs", "Jobs that wait.", &[], |status, set| set(&[], count(status.queue))),
		("nodes", "Nodes that are connected.", &[], |status, set| set(&[], count(status.nodes))),
	];
	for (name, help, labels, tell) in gauges {
		let gauge = SourcedGauge::new(&options(name, help, labels), source(tell))?;
		registry.register(Box::new(gauge))?;
	}
	Ok(registry)
}

fn options(name: &str, help: &str, labels: &[&str]) -> Opts {
	let labels = labels.iter().map(|label| label.to_string()).collect();
	Opts::new(format!("tequio_worker_{name}"), help).variable_labels(labels)
}

/// The status that was last looked at.
#[derive(Debug)]
struct Latest {
	desk: Arc<Desk>,
	seen: Mutex<Option<(Instant, Arc<Status>)>>,
}

impl Latest {
	fn status(&self) -> Arc<Status> {
		let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
		match &*seen {
			Some((at, status)) if at.elapsed() < FRESH => status.clone(),
			_ => {
				let status = Arc::new(self.desk.report());
				*seen = Some((Instant::now(), status.clone()));
				status
			},
		}
	}
}

/// Where a metric's values come from.
#[derive(Clone)]
struct Source {
	latest: Arc<Latest>,
	tell: Tell,
}

impl MetricSource for Source {
	type N = f64;

	fn collect(&self, mut set: impl FnMut(&[&str], f64)) {
		(self.tell)(&self.latest.status(), &mut set);
	}
}

fn jobs(status: &Status, set: &mut dyn FnMut(&[&str], f64)) {
	each_class(status, |class, name| {
		set(&[name, "done"], whole(class.jobs.done));
		set(&[name, "failed"], whole(class.jobs.failed));
		set(&[name, "cancelled"], whole(class.jobs.cancelled));
	});
}

fn units(status: &Status, set: &mut dyn FnMut(&[&str], f64)) {
	each_class(status, |class, name| set(&[name], whole(class.units)));
}

fn seconds(status: &Status, set: &mut dyn FnMut(&[&str], f64)) {
	each_class(status, |class, name| {
		set(&[name, "computing"], class.seconds.computing);
		set(&[name, "idle"], class.seconds.idle);
		set(&[name, "starting"], class.seconds.starting);
		set(&[name, "waiting"], class.seconds.waiting);
	});
}

fn restarts(status: &Status, set: &mut dyn FnMut(&[&str], f64)) {
	each_class(status, |class, name| {
		set(&[name, "crashed"], whole(class.restarts.crashed));
		set(&[name, "hung"], whole(class.restarts.hung));
		set(&[name, "nonsense"], whole(class.restarts.nonsense));
		set(&[name, "unstartable"], whole(class.restarts.unstartable));
	});
}

fn rate(status: &Status, set: &mut dyn FnMut(&[&str], f64)) {
	each_class(status, |class, name| set(&[name], class.rate));
}

fn memory(status: &Status, set: &mut dyn FnMut(&[&str], f64)) {
	set(&["worker"], whole(status.memory_bytes));
	set(&["engine"], whole(status.classes.iter().map(|class| class.memory_bytes).sum()));
}

fn each_class(status: &Status, mut tell: impl FnMut(&ClassStatus, &str)) {
	status.classes.iter().for_each(|class| tell(class, &class.class.to_string()));
}

/// Exact up to 2^53.
fn whole(count: u64) -> f64 {
	count as f64
}

fn count(count: usize) -> f64 {
	whole(u64::try_from(count).unwrap_or(u64::MAX))
}
