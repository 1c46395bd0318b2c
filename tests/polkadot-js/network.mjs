// A chain of one validator that also works: a node, its worker process, and an API connected to it.

import { spawn } from 'node:child_process';
import { mkdtempSync, openSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiPromise, Keyring, WsProvider } from '@polkadot/api';
import { u8aConcat, u8aToHex } from '@polkadot/util';

const binaries = process.env.TEQUIO_BIN_DIR;

function freePort() {
	return new Promise((resolve) => {
		const server = createServer().listen(0, '127.0.0.1', () => {
			const { port } = server.address();
			server.close(() => resolve(port));
		});
	});
}

function start(folder, name, args) {
	const log = openSync(join(folder, `${name}.log`), 'a');
	return spawn(join(binaries, name), args, { stdio: ['ignore', log, log] });
}

/** Starts everything in a folder of its own. `stop` ends it and removes the folder. */
export async function startNetwork() {
	const folder = mkdtempSync(join(tmpdir(), 'tequio-polkadot-js-'));
	const [rpc, p2p, metrics] = [await freePort(), await freePort(), await freePort()];
	const socket = join(folder, 'worker.sock');
	const processes = [
		start(folder, 'tequio-worker', [
			`--socket=${socket}`,
			`--base-path=${join(folder, 'worker')}`,
			'--sandbox', 'available',
		]),
		start(folder, 'tequio-node', [
			'--dev',
			`--base-path=${join(folder, 'node')}`,
			`--rpc-port=${rpc}`,
			`--port=${p2p}`,
			`--prometheus-port=${metrics}`,
			'--no-mdns',
			`--worker-socket=${socket}`,
		]),
	];
	// A chain that ends is the end of the test, which would wait for it forever.
	process.on('exit', () => processes.forEach((child) => child.kill('SIGKILL')));
	for (const child of processes) {
		child.on('exit', (code) => {
			if (code) {
				console.error(`${child.spawnfile} ended with ${code}; its log is in ${folder}`);
				process.exit(1);
			}
		});
	}
	const provider = new WsProvider(`ws://127.0.0.1:${rpc}`, 500);
	const api = await ApiPromise.create({ provider, noInitWarn: true, throwOnConnect: false });
	const stop = async () => {
		await api.disconnect();
		processes.forEach((child) => child.kill('SIGKILL'));
		rmSync(folder, { recursive: true, force: true });
	};
	return { api, stop };
}

/**
 * Signs, sends, and waits for the block: its hash and the extrinsic's events. Rejects with the
 * decoded module error.
 */
export function send(api, signer, call) {
	return new Promise((resolve, reject) => {
		call.signAndSend(signer, { nonce: -1 }, ({ status, events, dispatchError }) => {
			if (dispatchError?.isModule) {
				const { section, name, docs } = api.registry.findMetaError(dispatchError.asModule);
				reject(Object.assign(new Error(`${section}.${name}`), { section, name, docs }));
			} else if (dispatchError) {
				reject(new Error(dispatchError.toString()));
			} else if (status.isInBlock) {
				resolve({ block: status.asInBlock, events: events.map(({ event }) => event) });
			}
		}).catch(reject);
	});
}

/** Registers an owner with one device whose key the node holds. */
export async function register(api, name) {
	const owner = new Keyring({ type: 'sr25519' }).addFromUri(`//${name}`);
	const device = new Keyring({ type: 'ed25519' }).addFromUri(`//${name}//device`);
	await api.rpc.author.insertKey('tequ', `//${name}//device`, u8aToHex(device.publicKey));
	const offers = [{ class: 'RandomXSearch', ask: 1_000_000, rate: 60 }];
	await send(api, owner, api.tx.workers.register(offers, 10_000n * 10n ** 12n, owner.address));
	const message = u8aConcat('tequio/device', api.genesisHash, owner.publicKey);
	await send(api, owner, api.tx.workers.addDevice(device.publicKey, device.sign(message)));
	return { owner, device };
}
