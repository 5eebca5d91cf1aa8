import Application
import Crypto
import Dispatch
import Domain
import FoundationEssentials

@testable import JWTAdapter

/// A sender's token: the header as somebody wrote it, and, in two lines, a header and claims that are then signed by a key that counts.
enum TokenTarget {
  private static let secret = Array(0..<32).map { UInt8($0) }
  /// 2³² seconds are enough to see whether a token is too old.
  private static let verifier = TokenVerifier(keys: keys, issuer: nil, audience: nil) { Fixed.now }

  private struct Source: KeySource {
    func fetch() async throws(KeySourceFault) -> KeySet { try await KeySet(jwks: nil, secret: secret) }
    func close() async {}
  }

  private static let keys: SenderKeys = {
    let keys = SenderKeys(source: Source(), settings: SenderKeys.Settings(staleLimit: .seconds(1_000_000)))
    let isDone = DispatchSemaphore(value: 0)
    Task.detached {
      await keys.look()
      isDone.signal()
    }
    isDone.wait()
    return keys
  }()

  static func run(_ input: [UInt8]) {
    let text = String(decoding: input, as: UTF8.self)
    if let principal = authenticate(text) { check(principal) }
    if let principal = authenticate("Bearer " + text) { check(principal) }
    if let bytes = Base64URL.decode(input) { expect(Base64URL.encode(bytes).utf8.count == input.count, "Base64 is read that has another length") }
    let lines = input.split(separator: 0x0A, maxSplits: 1, omittingEmptySubsequences: false)
    guard lines.count == 2 else { return }
    let signed = Base64URL.encode(lines[0]) + "." + Base64URL.encode(lines[1])
    let code = HMAC<SHA256>.authenticationCode(for: Array(signed.utf8), using: SymmetricKey(data: secret))
    if let principal = authenticate("Bearer \(signed).\(Base64URL.encode(Array(code)))") { check(principal) }
    expect(authenticate("Bearer \(signed).\(Base64URL.encode(Array(code.dropLast())))") == nil, "a signature that is cut was believed")
  }

  private static func authenticate(_ header: String) -> Principal? {
    let first = Result { () throws(AuthenticationFault) in try verifier.authenticate(bearer: header) }
    let second = Result { () throws(AuthenticationFault) in try verifier.authenticate(bearer: header) }
    expect(first == second, "the second look at a token ends otherwise")
    if case .failure(.expired(let principal, _)) = first { check(principal) }
    return try? first.get()
  }

  private static func check(_ principal: Principal) {
    expect(identifierFault(principal.subject) == nil, "the subject is out of its limits")
    expect(TenantID(principal.tenant.rawValue) != nil, "the tenant is none")
  }
}
