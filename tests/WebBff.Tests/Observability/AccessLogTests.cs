using System.Text;
using Bff.Dev.IdentityProvider;
using Bff.Observability;
using Microsoft.Extensions.DependencyInjection;

namespace WebBff.Tests.Observability;

public sealed class AccessLogTests(SharedSurroundings surroundings) : WebTest(surroundings)
{
    [Fact]
    public async Task A_line_names_the_time_the_trace_the_caller_the_tenant_and_the_parts_that_degraded()
    {
        var token = Surroundings.Identity.MintToken(
            new TokenRequest
            {
                Sub = "u-1001",
                Scope = "api",
                Extra = new JsonObject { ["tid"] = "acme" },
            }
        );
        Upstream["reviews"].Faults.Set(FaultMode.Status);
        var output = new MemoryStream();
        var before = DateTimeOffset.UtcNow;
        await using (var host = Start(services: s => s.AddSingleton(new AccessLogOptions { Output = output })))
        {
            using var request = host.Request(HttpMethod.Get, "/api/products/p-1?include=reviews,pricing", user: null);
            request.Headers.Authorization = new("Bearer", token);
            request.Headers.Add("traceparent", "00-2cf7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
            request.Headers.UserAgent.ParseAdd("Mozilla/5.0");
            await Ok(await host.Client.SendAsync(request));
        }

        var text = Encoding.UTF8.GetString(output.ToArray());
        var line = JsonNode.Parse(text)!.AsObject();
        Assert.Equal(
            [
                "timestamp",
                "method",
                "route",
                "status",
                "durationMs",
                "requestId",
                "traceId",
                "caller",
                "tenant",
                "client",
                "userAgent",
                "degraded",
            ],
            line.Select(m => m.Key)
        );
        Assert.InRange((DateTimeOffset)line["timestamp"]!, before.AddSeconds(-1), DateTimeOffset.UtcNow);
        Assert.Equal(
            ("2cf7651916cd43dd8448eb211c80319c", "u-1001", "acme", "Mozilla/5.0"),
            ((string)line["traceId"]!, (string)line["caller"]!, (string)line["tenant"]!, (string)line["userAgent"]!)
        );
        Assert.Equal("""{"reviews":"failed"}""", line["degraded"]!.ToJsonString());
        Assert.All(
            (string[])[token, "Bearer", "include", "alice"],
            secret => Assert.DoesNotContain(secret, text, StringComparison.Ordinal)
        );
    }
}
