import ClientRuntime
import RabbitMQManagementAdapter
import TestSupport
import Testing

@Suite struct ManagementAPITests {
  private static func fault(_ steps: [ScriptedServer.Step]) async throws -> ManagementAPI.Fault? {
    let server = ScriptedServer([steps])
    defer { server.stop() }
    let api = try #require(ManagementAPI(url: "http://127.0.0.1:\(server.port)"))
    var fault: ManagementAPI.Fault?
    do throws(ManagementAPI.Fault) {
      _ = try await api.facts(virtualHost: "/", prefix: "shop", user: "worker", deadline: .after(.seconds(6)))
    } catch { fault = error }
    await api.close()
    return fault
  }

  @Test(.timeLimit(.minutes(1))) func oneThatStallsAfterItsHeadIsGivenUp() async throws {
    let fault = try await Self.fault([.read, .send("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"), .wait(.seconds(90))])
    let isUnreachable = if case .unreachable = fault { true } else { false }
    #expect(isUnreachable, "\(String(describing: fault))")
  }

  @Test func moreThanIsReadIsSaidToBeSo() async throws {
    let megabytes = String(repeating: " ", count: 5 << 20)
    #expect(try await Self.fault([.read, .send("HTTP/1.1 200 OK\r\nContent-Length: \(megabytes.utf8.count)\r\n\r\n" + megabytes)]) == .tooLarge)
  }
}
