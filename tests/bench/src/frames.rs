//! Frames of the project's own protocols, read and written without holding the only thread up.

use anyhow::{ensure, Result};
use codec::{DecodeAll, Encode};
use tequio_interface::wire::{write_frame, MAX_FRAME};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Writes one message.
pub async fn write(to: &mut (impl AsyncWrite + Unpin), message: &impl Encode) -> Result<()> {
	let mut bytes = Vec::new();
	write_frame(&mut bytes, message)?;
	to.write_all(&bytes).await?;
	Ok(to.flush().await?)
}

/// Reads one message.
pub async fn read<M: DecodeAll>(from: &mut (impl AsyncRead + Unpin)) -> Result<M> {
	let length = usize::try_from(from.read_u32_le().await?)?;
	ensure!(length <= MAX_FRAME, "a frame of {length} bytes");
	let mut bytes = vec![0; length];
	from.read_exact(&mut bytes).await?;
	Ok(M::decode_all(&mut bytes.as_slice())?)
}

#[cfg(test)]
mod tests {
	#![allow(clippy::unwrap_used)]

	use super::*;
	use tequio_interface::engine::FromEngine;

	#[tokio::test]
	async fn what_is_written_is_read() {
		let message = FromEngine::Setup { about: "light".into() };
		let mut pipe = Vec::new();
		write(&mut pipe, &message).await.unwrap();
		assert_eq!(read::<FromEngine>(&mut pipe.as_slice()).await.unwrap(), message);
	}
}
