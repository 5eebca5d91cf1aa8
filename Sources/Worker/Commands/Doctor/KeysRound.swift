import ClientRuntime
import JWTAdapter

/// Fetches the keys of senders' tokens as the worker does, and looks at the certificate of where they are.
struct KeysRound: Sendable {
  private let configuration: Configuration

  init(_ configuration: Configuration) { self.configuration = configuration }

  func look(now: Int64) async -> Checkup.Part {
    var list = FindingList(.keys)
    guard configuration[.auth] == .required else {
      list.notChecked("keys", "ORDERS_AUTH is off: nobody is asked who he is")
      return .init(findings: list.all)
    }
    async let met = HTTPSPlace(configuration[.jwksURL])?.look(.keys, now: now) ?? []
    let examined: Examined<Int>
    do throws(ConfigurationFaults) {
      let source = try AuthComposition.source(configuration)
      examined = await fetch(source)
      await source.close()
    } catch {
      examined = .failed(error.sentences.joined(separator: "; "))
    }
    return .init(findings: KeysJudge.judge(examined, place: place) + (await met))
  }

  private func fetch(_ source: any KeySource) async -> Examined<Int> {
    do throws(KeySourceFault) {
      return .facts(try await source.fetch().count)
    } catch {
      return .failed(error.sentence)
    }
  }

  /// The fault's sentence names the address; here the setting is enough.
  private var place: String {
    if configuration[.jwksURL] != nil { return Setting.jwksURL.name }
    return configuration[.jwksFile] != nil ? Setting.jwksFile.name : Setting.jwtSecretFile.name
  }
}
