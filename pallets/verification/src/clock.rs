//! The work clock, and the beacon of past VRF outputs.

use crate::{types::Output, Config, Now, Outputs, Pallet, RING};
use frame_support::{defensive, traits::Get};
use tequio_primitives::{
	clock::{Beacon, WorkClock},
	WorkHeight,
};

impl<T: Config> Pallet<T> {
	/// Moves the clock on by one, and keeps the output of the block before this one under the
	/// height before this one.
	pub(crate) fn tick() {
		let before = Now::<T>::get();
		let now = before.saturating_add(1);
		Now::<T>::put(now);
		let Some(vrf) = T::Randomness::get() else { return };
		Outputs::<T>::mutate(|outputs| {
			outputs.retain(|output| now.saturating_sub(output.height) <= RING);
			if outputs.try_push(Output { height: before, vrf }).is_err() {
				defensive!(
					"heights are distinct and within the last RING, so there is room for one more"
				);
			}
		});
	}
}

/// The output of a height, where it is among those kept.
pub(crate) fn output_of(outputs: &[Output], height: WorkHeight) -> Option<[u8; 32]> {
	outputs.iter().find(|output| output.height == height).map(|output| output.vrf)
}

impl<T: Config> WorkClock for Pallet<T> {
	fn now() -> WorkHeight {
		Now::<T>::get()
	}
}

impl<T: Config> Beacon for Pallet<T> {
	fn at(height: WorkHeight) -> Option<[u8; 32]> {
		output_of(&Outputs::<T>::get(), height)
	}

	fn latest() -> Option<[u8; 32]> {
		Self::at(Now::<T>::get().checked_sub(1)?)
	}
}
