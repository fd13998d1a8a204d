namespace PartnerBff.Tests;

public sealed class BodyTests(SharedSurroundings surroundings) : PartnerTest(surroundings)
{
    [Fact]
    public async Task A_body_that_is_no_object_is_malformed_wherever_an_object_is_expected()
    {
        var host = Start();
        (HttpMethod Method, string Path)[] doors =
        [
            (HttpMethod.Post, "/v1/orders"),
            (HttpMethod.Post, "/v1/orders/batch"),
            (HttpMethod.Post, "/v2/orders"),
            (HttpMethod.Post, "/v2/orders/batch"),
            (HttpMethod.Post, "/v1/api-keys"),
            (HttpMethod.Post, "/v1/api-keys/none/rotate"),
            (HttpMethod.Post, "/v1/webhook-endpoints"),
            (HttpMethod.Patch, "/v1/webhook-endpoints/none"),
            (HttpMethod.Post, "/v1/webhook-endpoints/none/rotate-secret"),
        ];
        foreach (var (method, path) in doors)
        {
            foreach (var body in (string[])["[]", "[{}]", "\"x\"", "1", "true", "null"])
            {
                using var request = new HttpRequestMessage(method, path)
                {
                    Content = new StringContent(body, new MediaTypeHeaderValue("application/json")),
                };
                request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", AcmeKey);
                request.Headers.Add("Idempotency-Key", "same");

                using var answer = await host.Client.SendAsync(request);

                var problem = await Problem(answer, 400, "malformed_request");
                Assert.True(
                    !problem.ContainsKey("errors") && (string?)problem["detail"] == "The body is not a JSON object.",
                    $"{method} {path} {body}: {problem}"
                );
            }
        }
    }

    [Fact]
    public async Task An_optional_body_is_read_if_it_is_present_and_needs_a_content_type()
    {
        var host = Start(new() { ["Webhooks:AllowPrivateNetworks"] = "true" });
        var key = await Json(
            await Send(
                host,
                HttpMethod.Post,
                "/v1/api-keys",
                AcmeKey,
                new JsonObject { ["name"] = "rotated", ["scopes"] = new JsonArray("orders.read") }
            ),
            201
        );
        var hook = await Json(
            await Send(host, HttpMethod.Post, "/v1/webhook-endpoints", AcmeKey, new JsonObject { ["url"] = "http://127.0.0.1:9" }),
            201
        );
        foreach (
            var (path, done) in new[]
            {
                ($"/v1/api-keys/{key["id"]}/rotate", 201),
                ($"/v1/webhook-endpoints/{hook["id"]}/rotate-secret", 200),
            }
        )
        {
            // A body without a content type must not be ignored, because the client asks for something in it.
            await Problem(await Rotate(path, """{"overlap_seconds":0}""", null), 415, "unsupported_media_type");
            await Json(await Rotate(path, "", "application/json"), done);
        }

        async Task<HttpResponseMessage> Rotate(string path, string body, string? type)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, path)
            {
                Content = new ByteArrayContent(System.Text.Encoding.UTF8.GetBytes(body)),
            };
            request.Content.Headers.ContentType = type is null ? null : new(type);
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", AcmeKey);
            return await host.Client.SendAsync(request);
        }
    }

    /// <summary>The shipped plans allow bodies of 5 MiB (pro) and 50 MiB (enterprise), and no more.</summary>
    [Theory]
    [InlineData("enterprise", 2, 207)]
    [InlineData("enterprise", 49, 207)]
    [InlineData("enterprise", 51, 413)]
    [InlineData("pro", 4, 207)]
    [InlineData("pro", 6, 413)]
    public async Task A_batch_may_be_as_large_as_its_plan_says(string plan, int mebibytes, int status)
    {
        var host = Start(new() { ["Tenants:acme:Plan"] = plan });
        const string Batch = """{"orders":[{"reference":"r-1","currency":"EUR","items":[{"product_id":"p-1","quantity":1}]}]}""";
        foreach (var isChunked in (bool[])[false, true])
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/orders/batch")
            {
                Content = new StringContent(Batch.PadRight(mebibytes * 1024 * 1024), new MediaTypeHeaderValue("application/json")),
            };
            request.Headers.TransferEncodingChunked = isChunked;
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", AcmeKey);
            request.Headers.Add("Idempotency-Key", "large-" + isChunked);
            request.Headers.ExpectContinue = true; // The client reads a refusal before it sends the body.

            try
            {
                using var answer = await host.Client.SendAsync(request);
                Assert.True((int)answer.StatusCode == status, $"{(int)answer.StatusCode}: {await answer.Content.ReadAsStringAsync()}");
            }
            catch (HttpRequestException) when (status == 413)
            {
                // The connection was closed while the client was still sending, so it has no status, and the service got no order.
            }
        }
    }
}
