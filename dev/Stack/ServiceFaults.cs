using System.Net.Http.Json;

namespace Bff.Dev.Stack;

/// <summary>A fault to set on a sample service.</summary>
internal sealed record FaultOrder(string Mode, int DelayMs = 0, int Status = 500);

/// <summary>Breaks and heals sample services.</summary>
internal static class ServiceFaults
{
    /// <summary>Sets a fault; returns null on success, otherwise the service's message.</summary>
    public static async Task<string?> Order(HttpClient http, string service, FaultOrder order, CancellationToken cancellation)
    {
        using var body = JsonContent.Create(order, options: new(System.Text.Json.JsonSerializerDefaults.Web));
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(StackPlan.Address(service), "/__faults")) { Content = body };
        if (service == "catalog")
        {
            // The catalogue speaks only gRPC.
            (request.Version, request.VersionPolicy) = (System.Net.HttpVersion.Version20, HttpVersionPolicy.RequestVersionExact);
        }

        using var answer = await http.SendAsync(request, cancellation);
        return answer.IsSuccessStatusCode ? null : await answer.Content.ReadAsStringAsync(cancellation);
    }
}
