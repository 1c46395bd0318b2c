//! Softmax cross-entropy, and the class that scores most.

/// The label is no class of the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("label {label} is none of the {classes} classes, which are counted from 0")]
pub struct NoSuchClass {
	/// The label.
	pub label: u32,
	/// Classes of the model.
	pub classes: usize,
}

/// Turns scores into shares that sum to one: `e^sᵢ / Σ e^sⱼ`.
///
/// The largest score is subtracted first, so that no exponential overflows. A score of −∞ gets
/// nothing, as long as another is finite.
pub fn softmax(scores: &mut [f64]) {
	let most = largest(scores);
	scores.iter_mut().for_each(|score| *score = libm::exp(*score - most));
	let sum = scores.iter().fold(0.0_f64, |sum, share| sum + share);
	scores.iter_mut().for_each(|share| *share /= sum);
}

/// The loss of one sample, `−ln softmax(logits)[label]` in nats, and its gradient by the logits.
///
/// Logits that are not finite make a loss that is not: the caller refuses it.
pub fn cross_entropy(logits: &[f64], label: u32) -> Result<(f64, Vec<f64>), NoSuchClass> {
	let classes = logits.len();
	let right = usize::try_from(label).ok().filter(|right| *right < classes);
	let place = right.ok_or(NoSuchClass { label, classes })?;
	let most = largest(logits);
	let mut gradient = logits.to_vec();
	softmax(&mut gradient);
	let sum = logits.iter().fold(0.0_f64, |sum, logit| sum + libm::exp(logit - most));
	let own = logits.get(place).map_or(f64::NAN, |logit| logit - most);
	if let Some(share) = gradient.get_mut(place) {
		*share -= 1.0;
	}
	Ok((libm::log(sum) - own, gradient))
}

/// The class with the largest score; the lowest of equal ones. None: there are no scores, or one of
/// them is not a number.
pub fn argmax(scores: &[f64]) -> Option<u32> {
	if scores.iter().any(|score| score.is_nan()) {
		return None;
	}
	let most = largest(scores);
	scores.iter().position(|score| *score == most).and_then(|place| u32::try_from(place).ok())
}

/// The largest score; −∞ without scores. Comparing has no order of evaluation to agree on, but for
/// the sign of zero, which changes nothing here.
fn largest(scores: &[f64]) -> f64 {
	scores.iter().fold(f64::NEG_INFINITY, |most, score| if *score > most { *score } else { most })
}
