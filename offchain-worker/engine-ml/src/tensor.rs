//! Arrays of doubles, and named lists of them.

/// A dense row-major array of doubles.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
	shape: Vec<usize>,
	data: Vec<f64>,
}

impl Tensor {
	/// An array of zeros. The caller has bounded the shape: this allocates all of it.
	pub fn zeros(shape: &[usize]) -> Self {
		Self { shape: shape.to_vec(), data: vec![0.0; shape.iter().product()] }
	}

	/// None where the shape does not hold exactly these elements. A shape without sizes holds one.
	pub fn new(shape: Vec<usize>, data: Vec<f64>) -> Option<Self> {
		(elements(&shape) == Some(data.len())).then_some(Self { shape, data })
	}

	/// Sizes from the outermost, whose steps are the longest, to the innermost.
	pub fn shape(&self) -> &[usize] {
		&self.shape
	}

	/// The elements in row-major order.
	pub fn data(&self) -> &[f64] {
		&self.data
	}

	/// The elements in row-major order.
	pub fn data_mut(&mut self) -> &mut [f64] {
		&mut self.data
	}

	/// Elements.
	pub fn len(&self) -> usize {
		self.data.len()
	}

	/// Whether a size is zero, so that there are no elements.
	pub fn is_empty(&self) -> bool {
		self.data.is_empty()
	}

	/// Whether no element is infinite or not a number.
	pub fn is_finite(&self) -> bool {
		self.data.iter().all(|value| value.is_finite())
	}

	/// The same elements in another shape; unchanged where that shape does not hold exactly them.
	pub(crate) fn reshaped(mut self, shape: Vec<usize>) -> Self {
		if elements(&shape) == Some(self.data.len()) {
			self.shape = shape;
		}
		self
	}

	/// Adds another array of the same shape, element by element.
	pub(crate) fn add(&mut self, other: &Self) {
		for (value, more) in self.data.iter_mut().zip(&other.data) {
			*value += more;
		}
	}
}

/// Elements that a shape holds. None: more than can be counted.
pub(crate) fn elements(shape: &[usize]) -> Option<usize> {
	shape.iter().try_fold(1_usize, |product, size| product.checked_mul(*size))
}

/// Named tensors in the order of the model's layers: weights, gradients, or the change of weights.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct State(pub Vec<(String, Tensor)>);

impl State {
	/// The tensor of this name.
	pub fn get(&self, name: &str) -> Option<&Tensor> {
		self.0.iter().find(|(own, _)| own == name).map(|(_, tensor)| tensor)
	}

	/// Whether names, their order and all shapes are the same.
	pub fn same_shapes(&self, other: &Self) -> bool {
		let mut pairs = self.0.iter().zip(&other.0);
		self.0.len() == other.0.len()
			&& pairs.all(|((name, tensor), (other_name, other))| {
				name == other_name && tensor.shape() == other.shape()
			})
	}

	/// The same names and shapes, with zeros.
	pub fn zeros_like(&self) -> Self {
		let zeros =
			|(name, tensor): &(String, Tensor)| (name.clone(), Tensor::zeros(tensor.shape()));
		Self(self.0.iter().map(zeros).collect())
	}

	/// The L2 norm of all elements together. Squares are summed in the order of the elements.
	pub fn norm(&self) -> f64 {
		let values = self.0.iter().flat_map(|(_, tensor)| tensor.data());
		values.fold(0.0_f64, |sum, value| sum + value * value).sqrt()
	}

	/// Whether no element is infinite or not a number.
	pub fn is_finite(&self) -> bool {
		self.0.iter().all(|(_, tensor)| tensor.is_finite())
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_tensor_has_exactly_the_elements_of_its_shape() {
		assert!(Tensor::new(vec![2, 3], vec![0.0; 6]).is_some());
		assert!(Tensor::new(vec![2, 3], vec![0.0; 5]).is_none());
		assert!(Tensor::new(vec![usize::MAX, 2], vec![]).is_none());
		assert!(Tensor::new(vec![], vec![1.0]).is_some());
	}

	#[test]
	fn the_norm_runs_over_all_tensors() {
		let three = Tensor::new(vec![1], vec![3.0]).into_iter();
		let four = Tensor::new(vec![1, 1], vec![-4.0]).into_iter();
		let state = State(three.chain(four).map(|tensor| (String::new(), tensor)).collect());
		assert_eq!(state.norm(), 5.0);
		assert_eq!(state.zeros_like().norm(), 0.0);
		assert!(state.same_shapes(&state.zeros_like()));
	}
}
