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
	#[cfg(target_arch = "x86_64")]
	if is_x86_feature_detected!("avx2") {
		// SAFETY: the processor has AVX2.
		return unsafe { product_by_avx2(out, left, right, inner, columns) };
	}
	product(out, left, right, inner, columns);
}

/// [`product`] in registers of four numbers. Products stay rounded before they are added: the
/// instructions that fuse the two are another set, which is not asked for.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn product_by_avx2(out: &mut [f64], left: &[f64], right: &[f64], inner: usize, columns: usize) {
	product(out, left, right, inner, columns);
}

#[inline(always)]
fn product(out: &mut [f64], left: &[f64], right: &[f64], inner: usize, columns: usize) {
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
	use crate::exam::Numbers;

	#[test]
	fn a_product_is_added_to_what_is_there() {
		let mut out = [100.0, 0.0, 0.0, 0.0];
		// [1 2 3; 4 5 6] · [1 2; 3 4; 5 6] = [22 28; 49 64]
		let (left, right) = ([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
		multiply_add(&mut out, &left, &right, 3, 2);
		assert_eq!(out, [122.0, 28.0, 49.0, 64.0]);
	}

	/// Numbers of all magnitudes, so that another order or another rounding would show.
	fn numbers(count: usize, seed: u64) -> Vec<f64> {
		let mantissas = Numbers(seed).take(count).enumerate();
		mantissas.map(|(place, number)| number * (1_u64 << (place * 7 % 40)) as f64).collect()
	}

	#[test]
	fn wider_registers_change_no_bit() {
		for (rows, inner, columns) in [(1, 1, 1), (3, 7, 2), (4, 64, 9), (11, 5, 21), (2, 300, 64)]
		{
			let (left, right) = (numbers(rows * inner, 1), numbers(inner * columns, 2));
			let mut found = numbers(rows * columns, 3);
			let mut expected = found.clone();
			multiply_add(&mut found, &left, &right, inner, columns);
			for (sums, factors) in expected.chunks_exact_mut(columns).zip(left.chunks_exact(inner))
			{
				for (column, sum) in sums.iter_mut().enumerate() {
					for (place, factor) in factors.iter().enumerate() {
						*sum += factor * right[place * columns + column];
					}
				}
			}
			let bits = |all: &[f64]| all.iter().map(|one| one.to_bits()).collect::<Vec<_>>();
			assert_eq!(bits(&found), bits(&expected), "{rows} {inner} {columns}");
		}
	}

	#[test]
	fn a_transpose_swaps_rows_and_columns() {
		assert_eq!(transposed(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 3), [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
		assert!(transposed(&[], 0).is_empty());
	}
}
