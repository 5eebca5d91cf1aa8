import Application
import Crypto
import Dispatch
import Domain
import FoundationEssentials

@testable import JWTAdapter

/// A sender's token: the header as somebody wrote it, and, in two lines, a header and claims that are then signed by a key that counts.
enum TokenTarget {
  private static let secret = Array(0..<32).map { UInt8($0) }
  private static let key = SymmetricKey(data: secret)
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
    for header in [text, "Bearer " + text] {
      guard let principal = authenticate(header) else { continue }
      check(principal)
      expect(isSigned(header), "a token without a good signature was believed")
    }
    if let bytes = Base64URL.decode(input) { expect(Base64URL.encode(bytes).utf8.count == input.count, "Base64 is read that has another length") }
    let lines = input.split(separator: 0x0A, maxSplits: 1, omittingEmptySubsequences: false)
    guard lines.count == 2 else { return }
    let signed = Base64URL.encode(lines[0]) + "." + Base64URL.encode(lines[1])
    let code = Array(HMAC<SHA256>.authenticationCode(for: Array(signed.utf8), using: key))
    if let principal = authenticate("Bearer \(signed).\(Base64URL.encode(code))") { check(principal) }
    expect(authenticate("Bearer \(signed).\(Base64URL.encode(code.dropLast()))") == nil, "a signature that is cut was believed")
    var turned = code
    turned[input.count % 32] ^= 1
    expect(authenticate("Bearer \(signed).\(Base64URL.encode(turned))") == nil, "a signature with another bit was believed")
  }

  /// Whether the third part is the code of the first two, by the only key there is.
  private static func isSigned(_ header: String) -> Bool {
    let parts = header.utf8.drop { $0 != 0x20 }.drop { $0 == 0x20 }.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard parts.count == 3, let code = Base64URL.decode(Array(parts[2])) else { return false }
    return HMAC<SHA256>.isValidAuthenticationCode(code, authenticating: Array(parts[0]) + [UInt8(ascii: ".")] + Array(parts[1]), using: key)
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
