using System.Text.Json.Nodes;

namespace Bff.TestKit.Failures;

/// <summary>Creates lanes from the sample services' data.</summary>
public static class FailureLanes
{
    /// <summary>Creates lanes for users from u-1001 on, each with an order of the user's own.</summary>
    public static async Task<IReadOnlyList<FailureLane>> OfUsers(Surroundings surroundings, int count)
    {
        var lanes = new List<FailureLane>();
        for (var i = 0; i < count; i++)
        {
            var user = $"u-{1001 + i}";
            lanes.Add(new(i, user, ProductOf(i), (await Orders(surroundings, $"users/{user}/orders?limit=1", "X-User-Id", user))[0]));
        }

        return lanes;
    }

    /// <summary>Creates lanes for members of one tenant.</summary>
    public static async Task<IReadOnlyList<FailureLane>> OfTenant(Surroundings surroundings, string tenant, int count)
    {
        var orders = await Orders(surroundings, $"orders?limit={count}", "X-Tenant-Id", tenant);
        return [.. orders.Take(count).Select((order, i) => new FailureLane(i, $"partner-{i}", ProductOf(i), order))];
    }

    // p-17 and its multiples are sold out.
    private static string ProductOf(int lane) => $"p-{1 + lane + (lane / 16)}";

    private static async Task<List<string>> Orders(Surroundings surroundings, string path, string header, string value)
    {
        using var client = new HttpClient { BaseAddress = surroundings.Services.Orders.Address };
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Add(header, value);
        using var response = await client.SendAsync(request);
        return [.. JsonNode.Parse(await response.Content.ReadAsStringAsync())!["items"]!.AsArray().Select(o => (string)o!["id"]!)];
    }
}
