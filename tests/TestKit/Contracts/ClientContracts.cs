using System.Reflection;
using System.Text.Json.Nodes;
using Bff.Upstreams;
using Refit;
using Xunit;
using Xunit.Sdk;

namespace Bff.TestKit.Contracts;

/// <summary>Compares the typed clients of a host with a table of their calls, against a stub of the services.</summary>
public static class ClientContracts
{
    /// <summary>
    /// Returns the differences, one line each: 1. the request and the value; 2. a 404; 3. an answer without a member; 4. an answer that is
    /// not a document.
    /// </summary>
    public static async Task<IReadOnlyList<string>> Check(IServiceProvider services, ServiceStub stub, IEnumerable<ClientContract> table)
    {
        ArgumentNullException.ThrowIfNull(stub);
        var wrong = new List<string>();
        foreach (var row in table)
        {
            try
            {
                await Check(services, stub, row);
            }
            catch (XunitException different)
            {
                wrong.Add($"{row.Name}: {different.Message}");
            }
        }

        return wrong;
    }

    /// <summary>Returns calls of a host's clients that are not in the table.</summary>
    public static IReadOnlyList<string> Missing(Assembly host, IEnumerable<ClientContract> table)
    {
        ArgumentNullException.ThrowIfNull(host);
        var known = table.Select(r => r.Method).ToHashSet();
        return
        [
            .. host.GetTypes()
                .Where(t => t.IsInterface)
                .SelectMany(t => t.GetMethods())
                .Where(m =>
                    m.ReturnType.IsGenericType && IsCall(m.ReturnType.GetGenericTypeDefinition()) && !IsQuery(m) && !known.Contains(m)
                )
                .Select(m => $"{m.DeclaringType!.Name}.{m.Name}"),
        ];
    }

    private static bool IsCall(Type given) => given == typeof(UpstreamCall<>) || given == typeof(UpstreamWrite<>);

    // A method of a GraphQL client itself writes the query and passes it to the method that Refit generates.
    private static bool IsQuery(MethodInfo method) =>
        method.GetCustomAttribute<HttpMethodAttribute>() is not null
        && method
            .GetParameters()
            .Any(p => p.ParameterType.IsGenericType && p.ParameterType.GetGenericTypeDefinition() == typeof(GraphQlQuery<>));

    private static async Task Check(IServiceProvider services, ServiceStub stub, ClientContract row)
    {
        // 1
        stub.Answer(row.Answer.Length == 0 ? 204 : 200, row.Answer, row.Type);
        var good = await row.Make(services);
        var sent = Assert.Single(stub.TakeRequests());
        Assert.Equal(row.Request, sent.Line);
        Assert.True(
            row.Body is null ? sent.Body.Length == 0 : JsonNode.DeepEquals(JsonNode.Parse(row.Body), JsonNode.Parse(sent.Body)),
            $"sent the body {sent.Body}"
        );
        Assert.Equal("r-1", sent.Header("X-Request-Id"));
        Assert.All(row.Headers, h => Assert.Equal(h.Value, sent.Header(h.Key)));
        Assert.Equal(UpstreamOutcome.Ok, good.Outcome);
        Assert.Equivalent(row.Value, good.Value, strict: true);

        // 2
        stub.Answer(404, """{"title":"Not Found"}""", "application/problem+json");
        Assert.Equal((UpstreamOutcome.NotFound, 404), Ended(await row.Make(services)));

        // 3
        if (row.Type == "application/json" && row.Answer.Length > 0)
        {
            string[] required = row.Required.Split(',', StringSplitOptions.RemoveEmptyEntries);
            foreach (var (member, _) in JsonNode.Parse(row.Answer)!.AsObject())
            {
                var rest = JsonNode.Parse(row.Answer)!.AsObject();
                rest.Remove(member);
                stub.Answer(200, rest.ToJsonString(), row.Type);
                Assert.Equal(
                    (member, required.Contains(member) ? UpstreamOutcome.Failed : UpstreamOutcome.Ok),
                    (member, (await row.Make(services)).Outcome)
                );
            }

            // 4
            stub.Answer(200, "<html>", "text/html");
            Assert.Equal((UpstreamOutcome.Failed, 200), Ended(await row.Make(services)));
        }

        stub.TakeRequests();
    }

    private static (UpstreamOutcome, int) Ended(ClientContract.Made made) => (made.Outcome, made.Status);
}
