using System.Net.Http.Json;

namespace Bff.Dev.Stack;

/// <summary>What a sample service is told to do wrong.</summary>
internal sealed record FaultOrder(string Mode, int DelayMs = 0, int Status = 500);

/// <summary>Breaks and heals sample services.</summary>
internal static class ServiceFaults
{
    /// <summary>Null when the service obeys, else what it says.</summary>
    public static async Task<string?> Order(HttpClient http, string service, FaultOrder order, CancellationToken cancellation)
    {
        using var body = JsonContent.Create(order, options: new(System.Text.Json.JsonSerializerDefaults.Web));
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(StackPlan.Address(service), "/__faults")) { Content = body };
        if (service == "catalog")
        {
            // It speaks gRPC alone.
            (request.Version, request.VersionPolicy) = (System.Net.HttpVersion.Version20, HttpVersionPolicy.RequestVersionExact);
        }

        using var answer = await http.SendAsync(request, cancellation);
        return answer.IsSuccessStatusCode ? null : await answer.Content.ReadAsStringAsync(cancellation);
    }
}
