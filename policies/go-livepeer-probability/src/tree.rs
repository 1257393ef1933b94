//! Weighted draws without replacement.

/// Weights as the leaves of a tree of sums: drawing and removing take as many steps as the tree is high.
///
/// A removal adds up the sums above it anew and subtracts nothing, so no rounding error of a heavy weight outlives it and hides
/// the light ones.
#[derive(Debug)]
pub(crate) struct Tree {
    /// The root is at 1, the children of `i` at `2i` and `2i + 1`, the leaves from `sums.len() / 2`.
    sums: Vec<f64>,
}

// === impl Tree ===

impl Tree {
    /// A tree of `weights`, each finite and not below zero.
    pub(crate) fn new(weights: impl ExactSizeIterator<Item = f64>) -> Self {
        let leaves = weights.len().next_power_of_two();
        let mut sums = vec![0.0; 2 * leaves];
        for (leaf, weight) in sums[leaves..].iter_mut().zip(weights) {
            *leaf = weight;
        }
        for node in (1..leaves).rev() {
            sums[node] = sums[2 * node] + sums[2 * node + 1];
        }
        Self { sums }
    }

    /// The sum of what is left.
    pub(crate) fn total(&self) -> f64 {
        self.sums[1]
    }

    /// The weight of one leaf.
    pub(crate) fn weight(&self, leaf: usize) -> f64 {
        self.sums[self.sums.len() / 2 + leaf]
    }

    /// The leaf that `unit`, from [0, 1), falls on. One without a weight is never drawn while [`Tree::total`] is above 0.
    pub(crate) fn draw(&self, unit: f64) -> usize {
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

    /// Takes a leaf out.
    pub(crate) fn remove(&mut self, leaf: usize) {
        let mut node = self.sums.len() / 2 + leaf;
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
        let tree = Tree::new([1.0, 0.0, 2.0, 1.0, 4.0].into_iter());
        let cases = [
            (0.0, 0),
            (0.124, 0),
            (0.125, 2),
            (0.374, 2),
            (0.375, 3),
            (0.5, 4),
            (0.999, 4),
        ];
        for (unit, leaf) in cases {
            assert_eq!(tree.draw(unit), leaf, "{unit}");
        }
    }

    #[test]
    fn light_weights_survive_the_removal_of_a_heavy_one() {
        let mut tree = Tree::new([1e-30, 1e30, 3e-30].into_iter());
        tree.remove(1);
        assert_eq!((tree.draw(0.2), tree.draw(0.3)), (0, 2));
        assert!(tree.weight(1) == 0.0 && tree.weight(2) > 0.0);
        tree.remove(2);
        assert_eq!(tree.draw(0.999), 0);
        tree.remove(0);
        assert!(tree.total() == 0.0);
    }

    #[test]
    fn one_leaf_is_a_tree() {
        let mut tree = Tree::new([5.0].into_iter());
        assert_eq!(tree.draw(0.5), 0);
        tree.remove(0);
        assert!(tree.total() == 0.0);
    }
}
