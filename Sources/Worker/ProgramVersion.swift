import Operations

/// The version of this program, by semantic versioning: the first number changes where an older worker cannot run beside it.
enum ProgramVersion {
  static let text = "1.0.0"

  /// So that a dashboard shows which versions run.
  static let gauge = Gauge("orders_build_info", "The version that runs.") { [(pairs: [("version", text)], value: 1)] }
}
