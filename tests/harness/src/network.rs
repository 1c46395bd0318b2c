//! A network of real processes on the loopback interface: one validator, and worker nodes with a
//! worker process each.
//!
//! Everything is under one folder:
//!
//! ```text
//! chain.json        specification
//! validator/        database           validator.log
//! 0/node/           database           0/node.log
//! 0/keystore/       device keys        0/worker.log
//! 0/worker/         journal            0/socket       between node and worker process
//! store/            what programs need and make, if the plan has one
//! ```

use crate::{
	accounts::{Account, Device},
	chain::Chain,
	genesis, libtorch,
	process::{binary, log_tail, Launch, Process},
	waiting::until,
};
use anyhow::{ensure, Context, Result};
use jsonrpsee::rpc_params;
use serde_json::Value;
use std::{
	ffi::OsString,
	fs,
	net::TcpListener,
	path::{Path, PathBuf},
	time::Duration,
};
use tempfile::TempDir;

/// Identity of the validator's node on the network.
const NODE_KEY: &str = "0000000000000000000000000000000000000000000000000000000000000001";
/// The account that pays for everything the harness sets up: the development chain makes it rich.
pub const BANK: &str = "//Alice";
/// A cold start of a node takes some seconds, on a busy machine many.
const START: Duration = Duration::from_secs(180);
/// Bytes that the path of a Unix socket may have.
const SOCKET_PATH: usize = 107;

/// What to start.
#[derive(Clone, Debug, Default)]
pub struct Plan {
	/// An empty folder for everything, which is kept. If none, a temporary one, which is kept too
	/// where the environment names a folder for such in `TEQUIO_KEEP`.
	pub folder: Option<PathBuf>,
	/// The worker nodes.
	pub nodes: Vec<NodePlan>,
	/// What the chain starts with, laid over the genesis patch of the development preset. Without
	/// it, the preset itself.
	pub genesis: Option<Value>,
	/// Whether worker processes share a folder of what programs need and make. Without one they
	/// compute no programs.
	pub store: bool,
}

/// One worker node.
#[derive(Clone, Debug)]
pub struct NodePlan {
	/// Owners that it serves, each with one device.
	pub owners: u32,
	/// The folder of its engines; that of the built binaries if none.
	pub engines: Option<PathBuf>,
	/// More arguments of its worker process. Without `--mode` among them it computes in light mode,
	/// without `--sandbox` it takes of the sandbox what the machine allows.
	pub worker_args: Vec<OsString>,
}

impl NodePlan {
	/// A node with the built engines.
	pub fn honest(owners: u32) -> Self {
		Self { owners, engines: None, worker_args: Vec::new() }
	}

	/// The same, with libtorch: it computes the classes in 32-bit floats too.
	pub fn with_libtorch(owners: u32) -> Result<Self> {
		// Without the engine no device would offer those classes, and all would wait.
		libtorch::engine()?;
		let mut plan = Self::honest(owners);
		flag(&mut plan.worker_args, "--libtorch", libtorch::folder()?);
		Ok(plan)
	}
}

/// Somebody who stakes, and the device key that works for them.
#[derive(Clone)]
pub struct Owner {
	/// The cold account, which is the payout account too.
	pub account: Account,
	/// The hot key.
	pub device: Device,
}

/// A worker node and its worker process.
pub struct WorkerNode {
	/// The node.
	pub node: Process,
	/// The worker process.
	pub worker: Process,
	/// Whom it serves.
	pub owners: Vec<Owner>,
	/// The socket between the two.
	pub socket: PathBuf,
}

/// The whole. Dropping it kills every process.
pub struct Network {
	/// A client of the validator's node.
	pub chain: Chain,
	/// The worker nodes.
	pub nodes: Vec<WorkerNode>,
	validator: Process,
	/// Port of the validator's RPC.
	rpc: u16,
	// Last, so that it goes when nobody writes to it any more.
	folder: Folder,
}

enum Folder {
	Temporary(TempDir),
	Kept(PathBuf),
}

impl Network {
	/// Starts everything and waits until every node is connected.
	pub async fn start(plan: &Plan) -> Result<Self> {
		let folder = Folder::new(plan.folder.as_deref())?;
		let spec = folder.path().join("chain.json");
		genesis::write_specification(plan.genesis.as_ref(), &spec)?;
		let [port, rpc] = free_ports()?;
		let mut validator = Process::start(validator(folder.path(), &spec, port, rpc)?)?;
		let chain = reach(&mut validator, rpc).await?;
		let peer = chain.request("system_localPeerId", rpc_params![]).await?;
		let peer = peer.as_str().context("a peer id that is no text")?;
		let bootnode = format!("/ip4/127.0.0.1/tcp/{port}/p2p/{peer}");
		let store = store(folder.path());
		if plan.store {
			fs::create_dir(&store)?;
		}
		let mut nodes = Vec::new();
		for (place, node) in plan.nodes.iter().enumerate() {
			let mut node = node.clone();
			if plan.store {
				flag(&mut node.worker_args, "--store", &store);
			}
			let folder = folder.path().join(place.to_string());
			nodes.push(WorkerNode::start(&folder, place, &node, &spec, &bootnode)?);
		}
		let mut network = Self { chain, nodes, validator, rpc, folder };
		network.connected().await?;
		Ok(network)
	}

	/// Another client of the validator's node, with a connection of its own.
	pub async fn client(&self) -> Result<Chain> {
		Chain::connect(self.rpc, START).await
	}

	/// The validator's node.
	pub fn validator(&self) -> &Process {
		&self.validator
	}

	/// Every owner.
	pub fn owners(&self) -> impl Iterator<Item = &Owner> {
		self.nodes.iter().flat_map(|node| &node.owners)
	}

	/// Fails, with the end of its log, if a process has ended.
	pub fn expect_running(&mut self) -> Result<()> {
		self.validator.expect_running()?;
		for node in &mut self.nodes {
			node.node.expect_running()?;
			node.worker.expect_running()?;
		}
		Ok(())
	}

	/// The folder with databases and logs.
	pub fn folder(&self) -> &Path {
		self.folder.path()
	}

	/// The folder of what programs need and make. Nothing is there unless the plan said so.
	pub fn store(&self) -> PathBuf {
		store(self.folder.path())
	}

	/// The ends of all logs.
	pub fn logs(&self) -> String {
		let workers = self.nodes.iter().flat_map(|node| [&node.node, &node.worker]);
		let end = |process: &Process| {
			format!("--- the end of {}:\n{}\n", process.log().display(), log_tail(process.log()))
		};
		[&self.validator].into_iter().chain(workers).map(end).collect()
	}

	async fn connected(&mut self) -> Result<()> {
		let wanted = u64::try_from(self.nodes.len())?;
		until("all nodes are connected", START, async || {
			self.expect_running()?;
			Ok((self.chain.peers().await? >= wanted).then_some(()))
		})
		.await
		.with_context(|| self.logs())
	}
}

impl WorkerNode {
	fn start(
		folder: &Path,
		place: usize,
		plan: &NodePlan,
		spec: &Path,
		bootnode: &str,
	) -> Result<Self> {
		let owner =
			|number: u8| Owner::new(&format!("//Owner{place}{}", char::from(b'a' + number)));
		let owners: Vec<_> = (0..u8::try_from(plan.owners)?).map(owner).collect::<Result<_>>()?;
		let keystore = folder.join("keystore");
		fs::create_dir_all(&keystore)?;
		for owner in &owners {
			owner.device.write_to_keystore(&keystore)?;
		}
		let socket = socket(folder)?;
		let worker = Process::start(worker(folder, &socket, plan)?)?;
		let node = Process::start(worker_node(folder, &socket, spec, bootnode)?)?;
		Ok(Self { node, worker, owners, socket })
	}
}

impl Owner {
	/// From a secret URI such as `//Owner`; the device's is derived from it.
	pub fn new(uri: &str) -> Result<Self> {
		let device = Device::from_uri(&format!("{uri}//device"))?;
		Ok(Self { account: Account::from_uri(uri)?, device })
	}
}

impl Folder {
	fn new(kept: Option<&Path>) -> Result<Self> {
		let Some(path) = kept else {
			let mut temporary = tempfile::Builder::new();
			temporary.prefix("tequio-");
			return Ok(match std::env::var_os("TEQUIO_KEEP") {
				Some(parent) => Self::Kept(temporary.tempdir_in(parent)?.keep()),
				None => Self::Temporary(temporary.tempdir()?),
			});
		};
		fs::create_dir_all(path).with_context(|| format!("making {}", path.display()))?;
		let empty = fs::read_dir(path)?.next().is_none();
		ensure!(empty, "{} is not empty: an older chain would be taken up", path.display());
		Ok(Self::Kept(path.canonicalize()?))
	}

	fn path(&self) -> &Path {
		match self {
			Self::Temporary(folder) => folder.path(),
			Self::Kept(path) => path,
		}
	}
}

fn store(folder: &Path) -> PathBuf {
	folder.join("store")
}

/// Waits until a node's RPC answers.
async fn reach(node: &mut Process, rpc: u16) -> Result<Chain> {
	until("the validator's RPC answers", START, async || {
		node.expect_running()?;
		Ok(Chain::connect(rpc, Duration::ZERO).await.ok())
	})
	.await
}

fn validator(folder: &Path, spec: &Path, port: u16, rpc: u16) -> Result<Launch> {
	let mut args = node_args(&folder.join("validator"), spec, port, rpc);
	args.extend(["--alice", "--force-authoring", "--node-key", NODE_KEY].map(OsString::from));
	Ok(Launch { program: binary("tequio-node")?, args, log: folder.join("validator.log") })
}

fn worker_node(folder: &Path, socket: &Path, spec: &Path, bootnode: &str) -> Result<Launch> {
	let [port, rpc] = free_ports()?;
	let mut args = node_args(&folder.join("node"), spec, port, rpc);
	flag(&mut args, "--bootnodes", bootnode);
	flag(&mut args, "--keystore-path", folder.join("keystore"));
	flag(&mut args, "--worker-socket", socket);
	Ok(Launch { program: binary("tequio-node")?, args, log: folder.join("node.log") })
}

fn worker(folder: &Path, socket: &Path, plan: &NodePlan) -> Result<Launch> {
	let engines = match &plan.engines {
		Some(folder) => folder.clone(),
		None => {
			binary("tequio-engine-randomx")?.parent().map(Path::to_path_buf).unwrap_or_default()
		},
	};
	let mut args = Vec::new();
	flag(&mut args, "--socket", socket);
	flag(&mut args, "--base-path", folder.join("worker"));
	flag(&mut args, "--engine-dir", engines);
	// The engines are ours: where the machine has no namespaces, work goes on without.
	for (name, value) in [("--mode", "light"), ("--sandbox", "available")] {
		if !plan.worker_args.iter().any(|arg| arg == name) {
			flag(&mut args, name, value);
		}
	}
	args.extend(plan.worker_args.iter().cloned());
	Ok(Launch { program: binary("tequio-worker")?, args, log: folder.join("worker.log") })
}

/// Flags of every node. It listens on the loopback interface only and looks for nobody: networks of
/// the same preset, which share their genesis, do not mix.
fn node_args(base: &Path, spec: &Path, port: u16, rpc: u16) -> Vec<OsString> {
	let mut args = ["--no-mdns", "--no-prometheus", "--no-telemetry"].map(OsString::from).to_vec();
	flag(&mut args, "--chain", spec);
	flag(&mut args, "--base-path", base);
	flag(&mut args, "--listen-addr", format!("/ip4/127.0.0.1/tcp/{port}"));
	flag(&mut args, "--rpc-port", rpc.to_string());
	args
}

fn flag(args: &mut Vec<OsString>, name: &str, value: impl Into<OsString>) {
	args.push(name.into());
	args.push(value.into());
}

fn socket(folder: &Path) -> Result<PathBuf> {
	let path = folder.join("socket");
	let length = path.as_os_str().len();
	ensure!(
		length <= SOCKET_PATH,
		"{} has {length} bytes, and the path of a socket {SOCKET_PATH} at most: take a shorter folder",
		path.display()
	);
	Ok(path)
}

/// Ports of the loopback interface on which nobody listens now.
pub fn free_ports<const N: usize>() -> Result<[u16; N]> {
	// All are held until all are known, or the same one would be handed out twice.
	let listeners: Vec<_> =
		(0..N).map(|_| TcpListener::bind(("127.0.0.1", 0))).collect::<Result<_, _>>()?;
	let mut ports = [0; N];
	for (port, listener) in ports.iter_mut().zip(&listeners) {
		*port = listener.local_addr()?.port();
	}
	Ok(ports)
}
