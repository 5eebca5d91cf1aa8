import Application
import AsyncHTTPClient
import FoundationEssentials
import NIOCore
import NIOHTTP1

/// Keys in files: a JWK Set, a shared secret, or both.
package struct KeyFiles: KeySource {
  private let jwks: String?
  private let secret: String?
  private let read: @Sendable (String) throws(KeySourceFault) -> [UInt8]

  /// Paths; `read` throws the reason where a file cannot be read.
  package init(jwks: String?, secret: String?, read: @escaping @Sendable (String) throws(KeySourceFault) -> [UInt8]) {
    self.jwks = jwks
    self.secret = secret
    self.read = read
  }

  package func fetch() async throws(KeySourceFault) -> KeySet {
    try await KeySet(jwks: jwks.map(contents), secret: secret.map(contents).map(SharedSecret.init)?.bytes)
  }

  package func close() async {}

  private func contents(_ path: String) throws(KeySourceFault) -> [UInt8] {
    do throws(KeySourceFault) {
      return try read(path)
    } catch {
      throw KeySourceFault("\(path) cannot be read: \(error.sentence)")
    }
  }
}

/// A shared secret: its file's bytes, less a line feed at the end.
package struct SharedSecret: Sendable {
  package let bytes: [UInt8]

  package init(_ file: [UInt8]) { bytes = file.last == 0x0A ? Array(file.dropLast()) : file }
}

/// A JWK Set behind a URL, with or without a secret beside it.
package struct KeyURL: KeySource {
  private static let patience = TimeAmount.seconds(5)

  private let url: String
  private let client: HTTPClient
  private let secret: @Sendable () throws(KeySourceFault) -> SharedSecret?

  /// `secret` reads the secret that counts beside the set's keys, if there is one.
  package init(url: String, secret: @escaping @Sendable () throws(KeySourceFault) -> SharedSecret?) {
    self.url = url
    self.secret = secret
    // The keys come from where somebody said that they are, and from nowhere else.
    var settings = HTTPClient.Configuration(redirectConfiguration: .disallow)
    settings.timeout.connect = .seconds(3)
    // The deadline of a request ends with the answer's head; a body that stalls is this one's.
    settings.timeout.read = Self.patience
    settings.connectionPool.idleTimeout = .seconds(4)
    client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: settings)
  }

  package func close() async { try? await client.shutdown() }

  package func fetch() async throws(KeySourceFault) -> KeySet {
    var request = HTTPClientRequest(url: url)
    request.headers = ["accept": "application/jwk-set+json, application/json"]
    let body: [UInt8]
    do {
      let response = try await client.execute(request, deadline: .now() + Self.patience)
      guard response.status == .ok else { throw KeySourceFault("\(Self.shown(url)) answers \(response.status.code)") }
      body = Array(try await response.body.collect(upTo: KeySet.largestDocument).readableBytesView)
    } catch let fault as KeySourceFault {
      throw fault
    } catch {
      throw KeySourceFault("\(Self.shown(url)) cannot be fetched: \(error)")
    }
    do throws(KeySourceFault) {
      return try await KeySet(jwks: body, secret: try secret()?.bytes)
    } catch {
      throw KeySourceFault("\(Self.shown(url)): \(error.sentence)")
    }
  }

  /// Without user, password and query, which may be secrets.
  private static func shown(_ url: String) -> String {
    let parts = URL(string: url)
    return "\(parts?.scheme ?? "http")://\(parts?.host ?? "")\(parts?.port.map { ":\($0)" } ?? "")\(parts?.path ?? "")"
  }
}
