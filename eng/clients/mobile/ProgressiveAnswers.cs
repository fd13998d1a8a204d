using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Bff.Clients.Mobile;

/// <summary>
/// Reads progressive answers: the first has what a screen needs, and each further one adds the parts that arrived meanwhile. Only answers
/// with a <c>_meta</c> are progressive; any other answer arrives whole.
/// </summary>
public static class ProgressiveAnswers
{
    private const string Lines = "application/x-ndjson";

    /// <summary>Returns the answer after each of its lines; the last one equals the plain answer.</summary>
    /// <typeparam name="T">Type that the client's method of the same path returns, such as <see cref="HomeFeed"/>.</typeparam>
    /// <param name="http">Client with the gateway's address and the caller's token.</param>
    /// <param name="path">Path of the endpoint with its query, such as <c>home-feed</c>.</param>
    /// <param name="cancellation">Cancels the request; the gateway then ends the calls that it still waits for.</param>
    /// <exception cref="ApiException{Problem}">The gateway refused the request, or a required part failed.</exception>
    /// <exception cref="HttpRequestException">
    /// The gateway cannot be reached, or the answer was cut off. Earlier answers stay valid, but the parts in <c>_meta.pending</c> do not
    /// arrive.
    /// </exception>
    public static async IAsyncEnumerable<T> GetProgressively<T>(
        this HttpClient http,
        string path,
        [EnumeratorCancellation] CancellationToken cancellation = default
    )
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue(Lines));
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json", 0.9));
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
        if (!response.IsSuccessStatusCode)
        {
            throw await Refused(response, cancellation);
        }

        if (response.Content.Headers.ContentType?.MediaType != Lines)
        {
            yield return Read<T>(JsonNode.Parse(await response.Content.ReadAsStringAsync(cancellation)));
            yield break;
        }

        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(cancellation));
        JsonNode? answer = null;
        while (await Next(reader, cancellation) is { } line)
        {
            answer = answer is null ? JsonNode.Parse(line) : Patch(answer, JsonNode.Parse(line));
            yield return Read<T>(answer);
        }

        if (answer?["_meta"]?["pending"] is not null)
        {
            throw new HttpRequestException(HttpRequestError.ResponseEnded, "The answer was cut off.");
        }
    }

    /// <summary>Applies a JSON Merge Patch (RFC 7396), then sets the members that are null, which a patch cannot express.</summary>
    /// <param name="answer">The answer so far; it must not be used afterwards.</param>
    /// <param name="patch">The next line.</param>
    public static JsonNode? Patch(JsonNode? answer, JsonNode? patch)
    {
        var result = Merge(answer, patch);
        foreach (var pointer in result?["_meta"]?["nulls"]?.AsArray() ?? [])
        {
            var names = pointer!.GetValue<string>()[1..].Split('/').Select(name => name.Replace("~1", "/").Replace("~0", "~")).ToList();
            names.Take(names.Count - 1).Aggregate(result!, (at, name) => at[name]!)[names[^1]] = null;
        }

        return result;
    }

    private static JsonNode? Merge(JsonNode? target, JsonNode? patch)
    {
        if (patch is not JsonObject members)
        {
            return patch?.DeepClone();
        }

        var result = target as JsonObject ?? [];
        foreach (var (name, value) in members)
        {
            var was = result[name];
            result.Remove(name);
            if (value is not null)
            {
                result[name] = Merge(was, value);
            }
        }

        return result;
    }

    private static T Read<T>(JsonNode? answer) => answer.Deserialize<T>() ?? throw new JsonException("The answer is null.");

    private static async Task<string?> Next(StreamReader reader, CancellationToken cancellation)
    {
        try
        {
            return await reader.ReadLineAsync(cancellation);
        }
        catch (IOException cutOff)
        {
            throw new HttpRequestException(HttpRequestError.ResponseEnded, "The answer was cut off.", cutOff);
        }
    }

    private static async Task<ApiException> Refused(HttpResponseMessage response, CancellationToken cancellation)
    {
        var text = await response.Content.ReadAsStringAsync(cancellation);
        var headers = response
            .Headers.Concat(response.Content.Headers)
            .ToDictionary(header => header.Key, header => header.Value, StringComparer.OrdinalIgnoreCase);
        var status = (int)response.StatusCode;
        try
        {
            return new ApiException<Problem>(
                "The gateway refused.",
                status,
                text,
                headers,
                JsonSerializer.Deserialize<Problem>(text)!,
                innerException: null
            );
        }
        catch (JsonException noProblem)
        {
            return new ApiException("The gateway refused.", status, text, headers, noProblem);
        }
    }
}
