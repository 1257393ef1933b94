  ;; The answer stands at 512; $answer writes it.
  (func (export "pointsman:policy/selection@0.1.0#judge")
    (param $now i64) (param $seed i64) (param $workload i64) (param $capability i64) (param $model i64) (param $affinity i64)
    (param $deadline i32) (param $units i64) (param $facts i32) (param $fact-count i32)
    (param $rows i32) (param $columns i32) (param $column-count i32) (result i32)
    ;; The first column's values, if there is one.
    (call $answer (local.get $seed) (local.get $rows)
      (if (result i32) (local.get $column-count)
        (then (i32.load offset=4 (local.get $columns)))
        (else (i32.const 0))))
    (i32.const 512))
  (export "cabi_post_pointsman:policy/selection@0.1.0#judge" (func $start-again))
