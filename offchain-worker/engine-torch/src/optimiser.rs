//! SGD, momentum and AdamW by the formulas of [`tequio_engine_ml::optimiser`], for all weights at once.
//!
//! Each operation here rounds once, as the reference's do: none that could fuse a product with a sum
//! is taken. So a step in doubles has the very bits of a step by the reference.

use crate::parameters::{Gradient, Parameters};
use tch::{TchError, Tensor};
use tequio_engine_ml::{optimiser::Adam, Rule};

/// A rule, and all that it remembers between steps.
#[derive(Debug)]
pub struct Optimiser {
	rule: Rule,
	/// Steps taken.
	steps: u32,
	/// Nothing, `v`, or `m` and `v`.
	moments: Vec<Tensor>,
}

impl Optimiser {
	/// A rule before its first step on these weights: all moments are zero. Its hyper-parameters
	/// were checked.
	pub fn new(rule: Rule, parameters: &Parameters) -> Result<Self, TchError> {
		let moments = match rule {
			Rule::Sgd { .. } => 0,
			Rule::Momentum { .. } => 1,
			Rule::AdamW { .. } => 2,
		};
		let moments = (0..moments).map(|_| parameters.flat().f_zeros_like());
		Ok(Self { rule, steps: 0, moments: moments.collect::<Result<_, _>>()? })
	}

	/// Changes weights by one step against a gradient. What is in the gradient afterwards means
	/// nothing.
	pub fn step(
		&mut self,
		parameters: &mut Parameters,
		gradient: &mut Gradient,
	) -> Result<(), TchError> {
		self.steps = self.steps.saturating_add(1);
		let (mut weights, mut gradient) = (parameters.flat(), gradient.flat());
		match (self.rule, self.moments.as_mut_slice()) {
			(Rule::Sgd { learning_rate }, _) => {
				descend(&mut weights, &mut gradient, learning_rate.value())
			},
			(Rule::Momentum { learning_rate, momentum }, [velocity]) => {
				let _ = velocity.f_mul_scalar_(momentum.value())?;
				let _ = velocity.f_add_(&gradient)?;
				gradient.f_copy_(velocity)?;
				descend(&mut weights, &mut gradient, learning_rate.value())
			},
			(Rule::AdamW { .. }, [first, second]) => {
				adapt(&Adam::at(self.rule, self.steps), &mut weights, gradient, first, second)
			},
			// A rule has as many moments as it was made with.
			(Rule::Momentum { .. } | Rule::AdamW { .. }, _) => {
				Err(TchError::Shape("an optimiser has lost its moments".to_owned()))
			},
		}
	}
}

/// `w ← w − η d`, in the memory of the direction.
fn descend(weights: &mut Tensor, direction: &mut Tensor, rate: f64) -> Result<(), TchError> {
	let _ = direction.f_mul_scalar_(rate)?;
	let _ = weights.f_sub_(direction)?;
	Ok(())
}

/// A step of AdamW, in the memory of the gradient.
fn adapt(
	adam: &Adam,
	weights: &mut Tensor,
	gradient: Tensor,
	first: &mut Tensor,
	second: &mut Tensor,
) -> Result<(), TchError> {
	let mut share = gradient.f_mul_scalar(1.0 - adam.beta1)?;
	let _ = first.f_mul_scalar_(adam.beta1)?;
	let _ = first.f_add_(&share)?;
	share.f_copy_(&gradient)?;
	let _ = share.f_mul_scalar_(1.0 - adam.beta2)?;
	let _ = share.f_mul_(&gradient)?;
	let _ = second.f_mul_scalar_(adam.beta2)?;
	let _ = second.f_add_(&share)?;
	let mut spread = gradient;
	spread.f_copy_(second)?;
	let _ = spread.f_sqrt_()?;
	let _ = spread.f_div_scalar_(adam.correction)?;
	let _ = spread.f_add_scalar_(adam.epsilon)?;
	share.f_copy_(first)?;
	let _ = share.f_mul_scalar_(adam.rate)?;
	let _ = share.f_div_(&spread)?;
	let _ = weights.f_mul_scalar_(adam.keep)?;
	let _ = weights.f_sub_(&share)?;
	Ok(())
}
