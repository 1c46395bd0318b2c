//! What a worker serves to Prometheus.

use crate::setup::*;
use std::{
	io::{Read, Write},
	net::{Ipv4Addr, TcpListener, TcpStream},
};

/// The metrics, once they are served.
fn scrape(port: u16) -> String {
	eventually("metrics are served", || {
		let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok()?;
		let request = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
		stream.write_all(request.as_bytes()).ok()?;
		let mut answer = String::new();
		stream.read_to_string(&mut answer).ok()?;
		answer.contains("200 OK").then_some(answer)
	})
}

/// The value of a metric with these labels, as they are written.
fn value(metrics: &str, name: &str) -> f64 {
	let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
	line.unwrap_or_else(|| panic!("no {name} in\n{metrics}")).parse().unwrap()
}

/// A worker that serves metrics on this port. Somebody else may take a port that was free.
fn start(home: &Home) -> (Worker, u16) {
	let start = |_| {
		let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
		let port = listener.local_addr().unwrap().port();
		drop(listener);
		let number = port.to_string();
		let args = [&LIGHT[..], &["--metrics-port", &number]].concat();
		home.try_start(&args).map(|worker| (worker, port))
	};
	(0..8).find_map(start).unwrap()
}

#[test]
fn metrics_tell_what_the_status_tells() {
	let home = Home::new();
	let (worker, port) = start(&home);
	worker.connect().compute(&search(1, 20));
	let metrics = eventually("the job is counted", || {
		let metrics = scrape(port);
		let done = value(&metrics, "tequio_worker_jobs_total{class=\"0\",result=\"done\"}");
		(done == 1.0).then_some(metrics)
	});
	for (name, least) in [
		("jobs_total{class=\"0\",result=\"failed\"}", 0.0),
		("jobs_total{class=\"0\",result=\"cancelled\"}", 0.0),
		("units_total{class=\"0\"}", 20.0),
		("seconds_total{class=\"0\",state=\"computing\"}", 0.001),
		("seconds_total{class=\"0\",state=\"idle\"}", 0.0),
		("seconds_total{class=\"0\",state=\"starting\"}", 0.0),
		("seconds_total{class=\"0\",state=\"waiting\"}", 0.0),
		("engine_restarts_total{class=\"0\",reason=\"crashed\"}", 0.0),
		("engine_restarts_total{class=\"0\",reason=\"unstartable\"}", 0.0),
		("rate{class=\"0\"}", 0.001),
		("memory_bytes{of=\"worker\"}", 1.0),
		("memory_bytes{of=\"engine\"}", 268_435_456.0),
		("queue_jobs", 0.0),
		("nodes", 0.0),
	] {
		let found = value(&metrics, &format!("tequio_worker_{name}"));
		assert!(found >= least, "{name} is {found}");
	}
}

#[test]
fn start_should_fail_when_the_port_is_taken() {
	let home = Home::new();
	let other = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
	let port = other.local_addr().unwrap().port().to_string();
	let said = home.fail_to_start(&[&LIGHT[..], &["--metrics-port", &port]].concat());
	assert!(said.contains("--metrics-port"), "{said}");
}
