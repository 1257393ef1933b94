;; Asks for the column "?moon-phase", and insists that nobody knows it.
(module
  ;; include memory
  ;; include judge
  ;; Scores every row 1 where the value is NaN; another value traps.
  (func $answer (param $seed i64) (param $rows i32) (param $values i32)
    (local $row i32)
    (local $at i32)
    (i32.store8 (i32.const 512) (i32.const 2))
    (i32.store (i32.const 516) (i32.const 0))
    (i32.store (i32.const 520) (i32.const 0))
    (i32.store (i32.const 524) (local.get $values))
    (i32.store (i32.const 528) (local.get $rows))
    (loop $next
      (local.set $at (i32.add (local.get $values) (i32.shl (local.get $row) (i32.const 3))))
      (if (f64.eq (f64.load (local.get $at)) (f64.load (local.get $at))) (then unreachable))
      (f64.store (local.get $at) (f64.const 1))
      (local.set $row (i32.add (local.get $row) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $row) (local.get $rows)))))
  (data (i32.const 128) "?moon-phase")
  (data (i32.const 160) "\80\00\00\00\0b\00\00\00")
  (data (i32.const 192) "\00\00\00\00\a0\00\00\00\01\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00")
  (func (export "pointsman:policy/policy@0.1.0#configure") (param i32 i32 i32 i32) (result i32)
    (i32.const 192)))
