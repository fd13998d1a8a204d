namespace PartnerBff.Tests;

public sealed class BodyTests(SharedSurroundings surroundings) : PartnerTest(surroundings)
{
    [Fact]
    public async Task A_body_that_is_no_object_is_malformed_wherever_an_object_is_expected()
    {
        var host = Start();
        (HttpMethod Method, string Path)[] doors =
        [
            (HttpMethod.Post, "/v1/orders"), (HttpMethod.Post, "/v1/orders/batch"), (HttpMethod.Post, "/v2/orders"), (HttpMethod.Post, "/v2/orders/batch"),
            (HttpMethod.Post, "/v1/api-keys"), (HttpMethod.Post, "/v1/api-keys/none/rotate"), (HttpMethod.Post, "/v1/webhook-endpoints"),
            (HttpMethod.Patch, "/v1/webhook-endpoints/none"), (HttpMethod.Post, "/v1/webhook-endpoints/none/rotate-secret"),
        ];
        foreach (var (method, path) in doors)
        {
            foreach (var body in (string[])["[]", "[{}]", "\"x\"", "1", "true", "null"])
            {
                using var request = new HttpRequestMessage(method, path) { Content = new StringContent(body, new MediaTypeHeaderValue("application/json")) };
                request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", AcmeKey);
                request.Headers.Add("Idempotency-Key", "same");

                using var answer = await host.Client.SendAsync(request);

                var problem = await Problem(answer, 400, "malformed_request");
                Assert.True(!problem.ContainsKey("errors") && (string?)problem["detail"] == "The body is not a JSON object.", $"{method} {path} {body}: {problem}");
            }
        }
    }
}
