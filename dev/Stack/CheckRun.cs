using System.Net.Http.Headers;
using System.Text.Json;

namespace Bff.Dev.Stack;

/// <summary>Calls one composed endpoint of each host and prints the answers.</summary>
internal static class CheckRun
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    public static async Task<bool> Run(ExampleCalls calls, CancellationToken cancellation)
    {
        var good = true;
        foreach (var call in calls.Composed)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, call.Url);
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", call.Credential);
            using var answer = await calls.Http.SendAsync(request, cancellation);
            var body = await answer.Content.ReadAsStringAsync(cancellation);
            good &= answer.IsSuccessStatusCode;
            Console.WriteLine();
            Console.WriteLine($"{call.Host}: GET {call.Url} -> {(int)answer.StatusCode}");
            Console.WriteLine(
                answer.Content.Headers.ContentType?.MediaType?.EndsWith("json", StringComparison.Ordinal) == true
                    ? JsonSerializer.Serialize(JsonSerializer.Deserialize<JsonElement>(body), Indented)
                    : body
            );
        }

        Console.WriteLine(good ? "All three gateways answered." : "A gateway failed. Its answer is above.");
        return good;
    }
}
