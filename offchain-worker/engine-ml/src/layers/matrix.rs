//! Products of row-major matrices.

/// `out += left · right`, where `left` has `inner` columns, and `right` and `out` have `columns`.
///
/// Every element takes its products one after another in ascending order of the inner index, each
/// rounded before it is added. Only elements of different columns are computed side by side, so the
/// width of the processor's registers changes no bit.
pub(super) fn multiply_add(
	out: &mut [f64],
	left: &[f64],
	right: &[f64],
	inner: usize,
	columns: usize,
) {
	if inner == 0 || columns == 0 {
		return;
	}
	for (sums, factors) in out.chunks_exact_mut(columns).zip(left.chunks_exact(inner)) {
		for (factor, row) in factors.iter().zip(right.chunks_exact(columns)) {
			for (sum, value) in sums.iter_mut().zip(row) {
				*sum += factor * value;
			}
		}
	}
}

/// The transpose of a matrix with so many columns.
pub(super) fn transposed(matrix: &[f64], columns: usize) -> Vec<f64> {
	let mut turned = Vec::with_capacity(matrix.len());
	for column in 0..columns {
		turned.extend(matrix.iter().skip(column).step_by(columns));
	}
	turned
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_product_is_added_to_what_is_there() {
		let mut out = [100.0, 0.0, 0.0, 0.0];
		// [1 2 3; 4 5 6] · [1 2; 3 4; 5 6] = [22 28; 49 64]
		let (left, right) = ([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
		multiply_add(&mut out, &left, &right, 3, 2);
		assert_eq!(out, [122.0, 28.0, 49.0, 64.0]);
	}

	#[test]
	fn a_transpose_swaps_rows_and_columns() {
		assert_eq!(transposed(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 3), [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
		assert!(transposed(&[], 0).is_empty());
	}
}
