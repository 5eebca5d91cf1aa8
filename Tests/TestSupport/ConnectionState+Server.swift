import ClientRuntime

extension ConnectionState {
  /// What the connection is to, in words that end in host and port; nil where there is none.
  package var server: String? { if case .connected(let server) = self { server } else { nil } }
}
