import JWTAdapter
import TestSupport
import Testing

@Suite struct KeyURLTests {
  /// Nothing else would end a look for keys, or a worker's start, where an issuer stalls after its answer's head.
  @Test(.timeLimit(.minutes(1))) func anIssuerThatStallsIsGivenUp() async throws {
    let server = ScriptedServer(.read, .send("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"), .wait(.seconds(90)))
    defer { server.stop() }
    let source = KeyURL(url: "http://127.0.0.1:\(server.port)/jwks.json") { () throws(KeySourceFault) in nil }
    await #expect(throws: KeySourceFault.self) { try await source.fetch() }
    await source.close()
  }
}
