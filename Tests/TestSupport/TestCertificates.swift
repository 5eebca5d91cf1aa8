import Foundation
import Glibc

/// Certificates of one test's own, made by the `openssl` program: of an `authority` and of a `stranger` that nobody trusts.
package struct TestCertificates: Sendable {
  package struct Failure: Error, CustomStringConvertible {
    package let description: String
  }

  package let folder: String

  package static let isInstalled = ["/usr/bin", "/usr/local/bin"].contains { access("\($0)/openssl", X_OK) == 0 }

  /// - Parameter days: For how long those of the two authorities are good.
  package init(days: Int = 2) async throws {
    folder = "/tmp/client-test-tls-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
    // Servers of another user read theirs here.
    try await run(["install", "-d", "-m", "755", folder])
    for name in ["authority", "stranger"] {
      try await run(["openssl", "req", "-x509"] + Self.newKey + ["-keyout", key(name), "-out", certificate(name), "-days", "\(days)", "-subj", "/CN=\(name)"])
    }
  }

  package func certificate(_ name: String) -> String { "\(folder)/\(name).pem" }
  package func key(_ name: String) -> String { "\(folder)/\(name).key" }

  /// A certificate `name`, for these host names and addresses.
  ///
  /// - Parameters:
  ///   - days: From now on; below zero for one that has expired.
  ///   - user: Whose the key is, where the tests run as root: servers look at that.
  package func issue(_ name: String, by authority: String = "authority", for hosts: [String], days: Int = 2, user: String? = nil) async throws {
    let names = hosts.map { ($0.allSatisfy { $0.isNumber || $0 == "." } ? "IP:" : "DNS:") + $0 }.joined(separator: ",")
    let request = "\(folder)/\(name).request"
    try await run(
      ["openssl", "req"] + Self.newKey + ["-keyout", key(name), "-out", request, "-subj", "/CN=\(name)", "-addext", "subjectAltName=\(names)"])
    try await run([
      "openssl", "x509", "-req", "-in", request, "-copy_extensions", "copy", "-CA", certificate(authority), "-CAkey", self.key(authority),
      "-CAcreateserial", "-days", "\(days)", "-out", certificate(name),
    ])
    if let user, getuid() == 0 { try await run(["chown", "\(user):", key(name)]) }
  }

  /// Puts another certificate and its key in the place of `name`'s, as who renews them does: at no moment is there half a file.
  package func replace(_ name: String, by other: String) async throws {
    for (from, to) in [(key(other), key(name)), (certificate(other), certificate(name))] {
      try await run(["cp", "-p", from, to + ".new"])
      try await run(["mv", to + ".new", to])
    }
  }

  package func remove() async { await ServerProcess.run(["rm", "-rf", folder]) }

  private static let newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]

  private func run(_ command: [String]) async throws {
    guard await ServerProcess.run(command) else { throw Failure(description: "failed: \(command.joined(separator: " "))") }
  }
}
