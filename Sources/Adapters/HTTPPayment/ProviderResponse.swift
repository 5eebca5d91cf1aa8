import Application
import Domain
import FoundationEssentials

/// What a provider answered, and what that means.
struct ProviderResponse {
  let status: Int
  let retryAfter: String?
  /// Nil where it could not be read to its end, or was too long.
  let body: [UInt8]?

  private struct Success: Decodable {
    let id: String
    let status: String
  }

  private struct Problem: Decodable {
    let code: String?
  }

  private struct KeptProblem: Decodable { let status: Int }

  func answer(to call: PaymentCall, now: Timestamp) -> PaymentAnswer {
    switch status {
    case 200, 201: success(of: call)
    case 402: .known(.declined(code: code))
    case 409: conflict(with: call)
    case 429, 503: .noEffect(reason: "the provider answers \(status)", retryAfter: RetryAfter.read(retryAfter, now: now))
    // A redirect is not followed: it had no effect where it was asked.
    case 300..<500: .noEffect(reason: ["the provider answers \(status)", code].compactMap(\.self).joined(separator: " "), retryAfter: nil)
    default: .unknown(reason: "the provider answers \(status)")
    }
  }

  /// What `GET /operations/{key}` says: a 200 has the body of what was answered to the key, a success or a problem. A 404 that is not the
  /// provider's own word, which is a problem in JSON, tells nothing: whatever stands between may not know it at the moment, and money may have moved.
  func answer(toKeyOf call: PaymentCall, now: Timestamp) -> PaymentAnswer {
    switch status {
    case 404: return read(Problem.self) == nil ? .notTold : .neverCame
    case 200:
      switch read(KeptProblem.self)?.status {
      case 402: return .known(.declined(code: code))
      case 409: return conflict(with: call)
      default: return success(of: call)
      }
    default: return answer(to: call, now: now)
    }
  }

  /// Whether the call can never be done as it is: something of it, or of the configuration, is wrong.
  var isOurMistake: Bool { (300..<500).contains(status) && ![402, 409, 429].contains(status) }

  /// The provider's word for what is wrong, where it is a word; anything longer could hold what must not be repeated.
  var code: String? {
    guard let code = read(Problem.self)?.code, (1...64).contains(code.utf8.count),
      code.utf8.allSatisfy({
        (0x61...0x7A).contains($0) || (0x41...0x5A).contains($0) || (0x30...0x39).contains($0) || [0x2D, 0x2E, 0x5F].contains($0)
      })
    else { return nil }
    return code
  }

  /// A state that does not allow it is known of what is captured or voided. Nothing of the kind can stand in the way of authorising: some say by 409
  /// that the key's first call is not done yet.
  private func conflict(with call: PaymentCall) -> PaymentAnswer {
    ["capture", "void"].contains(call.target.split(separator: "/").last) ? .known(.conflict) : .unknown(reason: "the provider answers 409")
  }

  private func success(of call: PaymentCall) -> PaymentAnswer {
    guard let success = read(Success.self) else { return .unknown(reason: "the provider's \(status) cannot be read") }
    let segments = call.target.split(separator: "/")
    let expected: (id: String, status: String)
    switch segments.last {
    case "capture": expected = (PercentEncoding.decode(segments[segments.count - 2]), "captured")
    case "void": expected = (PercentEncoding.decode(segments[segments.count - 2]), "voided")
    default: expected = (success.id, "authorized")
    }
    guard success.status == expected.status else { return .unknown(reason: "the provider answers \(status) with another status than \(expected.status)") }
    guard success.id == expected.id, let id = AuthorizationID(success.id) else {
      return .unknown(reason: "the provider answers \(status) with another id than an authorisation's")
    }
    return .known(.succeeded(id))
  }

  private func read<T: Decodable>(_ type: T.Type) -> T? { body.flatMap { try? JSONDecoder().decode(type, from: Data($0)) } }
}
