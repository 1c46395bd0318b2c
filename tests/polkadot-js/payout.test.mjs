// What somebody does in polkadot.js apps, done by the library under it, without any types of our own.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Keyring } from '@polkadot/api';
import { register, send, startNetwork } from './network.mjs';

const OURS = ['workers', 'verification', 'tasks', 'rewards', 'training'];
const SEED = `0x${'07'.repeat(32)}`;

let api;
let stop;

before(async () => ({ api, stop } = await startNetwork()), { timeout: 120_000 });
after(() => stop?.());

/** A search of two chunks of 32 nonces that nobody is expected to win. */
function search(changes) {
	const target = `0xff${'00'.repeat(31)}`;
	return {
		RandomXSearch: {
			seed: SEED,
			template: `0x${'00'.repeat(76)}`,
			nonceOffset: 39,
			start: 1000,
			count: 64,
			target,
			chunkSize: 32,
			lambda: 16,
			...changes,
		},
	};
}

test('every call, event and error of ours has a doc', () => {
	for (const section of OURS) {
		const named = [
			...Object.values(api.tx[section]).map(({ meta }) => meta),
			...Object.values(api.events[section]).map(({ meta }) => meta),
			...Object.values(api.errors[section] ?? {}).map(({ meta }) => meta),
		];
		assert.ok(named.length > 0, section);
		for (const meta of named) {
			assert.notEqual(meta.docs.join('').trim(), '', `${section}.${meta.name}`);
		}
	}
});

test('the chain says what its token is', () => {
	assert.deepEqual(api.registry.chainTokens, ['TEQ']);
	assert.deepEqual(api.registry.chainDecimals, [12]);
	assert.equal(api.registry.chainSS58, 42);
});

test('a task is followed from its submission to the payout', { timeout: 420_000 }, async () => {
	const people = [];
	for (const name of ['Alice', 'Bob', 'Charlie', 'Dave']) people.push(await register(api, name));
	const requester = people[3].owner;

	const seen = [];
	const undecoded = [];
	let finish;
	const ended = new Promise((resolve) => (finish = resolve));
	const stopEvents = await api.query.system.events((records) => {
		for (const { event } of records) {
			if (event.meta.name.toString() === '') undecoded.push(event.toHex());
			seen.push(event);
			if (api.events.tasks.TaskEnded.is(event)) finish(event.data);
		}
	});

	const submit = api.tx.tasks.submitTask(search(), 1_000_000_000n, 16, 0);
	const { events } = await send(api, requester, submit);
	const submitted = events.find((event) => api.events.tasks.TaskSubmitted.is(event));
	assert.ok(submitted, 'TaskSubmitted');

	const { books } = await ended;
	stopEvents();
	const sum = [books.paid, books.audit, books.fee, books.refunded].reduce((a, b) => a + b.toBigInt(), 0n);
	assert.equal(sum, books.locked.toBigInt());
	assert.ok(books.paid.toBigInt() > 0n);

	const paid = seen.filter((event) => api.events.tasks.ChunkPaid.is(event));
	assert.equal(paid.length, 2);
	const total = paid.reduce((a, { data }) => a + data.amount.toBigInt(), 0n);
	assert.equal(total, books.paid.toBigInt());
	assert.deepEqual(undecoded, []);
	const names = new Set(seen.map(({ section, method }) => `${section}.${method}`));
	for (const name of ['tasks.ChunkAssigned', 'verification.Committed', 'verification.Revealed', 'verification.Judged']) {
		assert.ok(names.has(name), name);
	}
});

test('bad input is refused with an error that says what to do', { timeout: 120_000 }, async () => {
	const requester = new Keyring({ type: 'sr25519' }).addFromUri('//Eve');
	const bad = {
		'an empty range': [search({ count: 0 }), 1_000_000_000n, 16],
		'a range past the last nonce': [search({ start: 2 ** 32 - 10 }), 1_000_000_000n, 16],
		'a target of zero': [search({ target: `0x${'00'.repeat(32)}` }), 1_000_000_000n, 16],
		'a template too short for the nonce': [search({ template: '0x00' }), 1_000_000_000n, 16],
		'a price of zero': [search(), 0n, 16],
		'a deadline of zero': [search(), 1_000_000_000n, 0],
	};
	for (const [what, [spec, price, deadline]] of Object.entries(bad)) {
		const call = api.tx.tasks.submitTask(spec, price, deadline, 0);
		await assert.rejects(send(api, requester, call), (error) => {
			assert.equal(error.section, 'tasks', what);
			assert.ok(error.docs?.join('').length > 0, what);
			return true;
		});
	}
});
