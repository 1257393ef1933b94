//! Weighted draws without replacement.

/// Weights as the leaves of a tree of sums: drawing and removing take as many steps as the tree is high.
///
/// A removal adds up the sums above it anew and subtracts nothing, so no rounding error of a heavy weight outlives it and hides
/// the light ones.
#[derive(Clone, Debug)]
pub struct Tree {
    /// The root is at 1, the children of `i` at `2i` and `2i + 1`, the leaves from `sums.len() / 2`.
    sums: Vec<f64>,
}

// === impl Tree ===

impl Tree {
    /// A tree of `weights`, none of them below zero or NaN, their sum finite.
    #[must_use]
    pub fn new(weights: &[f64]) -> Self {
        let leaves = weights.len().next_power_of_two();
        let mut sums = vec![0.0; 2 * leaves];
        sums[leaves..leaves + weights.len()].copy_from_slice(weights);
        for node in (1..leaves).rev() {
            sums[node] = sums[2 * node] + sums[2 * node + 1];
        }
        Self { sums }
    }

    /// The sum of what is left.
    #[must_use]
    pub fn total(&self) -> f64 {
        self.sums[1]
    }

    /// The weight at `place`; 0 once it is taken out.
    ///
    /// # Panics
    ///
    /// When there is no such place.
    #[must_use]
    pub fn weight(&self, place: usize) -> f64 {
        self.sums[self.sums.len() / 2 + place]
    }

    /// The place of the weight that `unit`, from [0, 1), falls on. One without a weight is never drawn while [`Tree::total`] is
    /// above 0.
    #[must_use]
    pub fn draw(&self, unit: f64) -> usize {
        let (leaves, mut left, mut node) = (self.sums.len() / 2, unit * self.total(), 1);
        while node < leaves {
            node *= 2;
            let here = self.sums[node];
            // Rounding may leave a little more than there is on this side, and none on the other.
            if left >= here && self.sums[node + 1] > 0.0 {
                left -= here;
                node += 1;
            }
        }
        node - leaves
    }

    /// Takes the weight at `place` out.
    ///
    /// # Panics
    ///
    /// When there is no such place.
    pub fn remove(&mut self, place: usize) {
        let mut node = self.sums.len() / 2 + place;
        self.sums[node] = 0.0;
        while node > 1 {
            node /= 2;
            self.sums[node] = self.sums[2 * node] + self.sums[2 * node + 1];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draw_falls_where_the_running_sum_passes_it() {
        let tree = Tree::new(&[1.0, 0.0, 2.0, 1.0, 4.0]);
        let cases = [
            (0.0, 0),
            (0.124, 0),
            (0.125, 2),
            (0.374, 2),
            (0.375, 3),
            (0.5, 4),
            (0.999, 4),
        ];
        for (unit, place) in cases {
            assert_eq!(tree.draw(unit), place, "{unit}");
        }
    }

    #[test]
    fn light_weights_survive_the_removal_of_a_heavy_one() {
        let mut tree = Tree::new(&[1e-30, 1e30, 3e-30]);
        tree.remove(1);
        assert!(tree.weight(1) <= 0.0 && tree.weight(2) > 0.0);
        assert_eq!((tree.draw(0.2), tree.draw(0.3)), (0, 2));
        tree.remove(2);
        assert_eq!(tree.draw(0.999), 0);
        tree.remove(0);
        assert!(tree.total() <= 0.0);
    }

    #[test]
    fn one_weight_is_a_tree_and_none_is_one_too() {
        let mut tree = Tree::new(&[5.0]);
        assert_eq!(tree.draw(0.5), 0);
        tree.remove(0);
        assert!(tree.total() <= 0.0);
        assert!(Tree::new(&[]).total() <= 0.0);
    }
}
