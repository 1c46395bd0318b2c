//! Builds the runtime's Wasm beside the native library. `SKIP_WASM_BUILD=1` leaves it out, for
//! checks that need no Wasm.

#[cfg(all(feature = "std", not(feature = "metadata-hash")))]
fn main() {
	substrate_wasm_builder::WasmBuilder::build_using_defaults();
}

/// With the hash of the metadata inside, an offline signer can check what it signs.
#[cfg(all(feature = "std", feature = "metadata-hash"))]
fn main() {
	substrate_wasm_builder::WasmBuilder::init_with_defaults()
		.enable_metadata_hash("TEQ", 12)
		.build();
}

/// The Wasm build itself runs this, and builds nothing further.
#[cfg(not(feature = "std"))]
fn main() {}
