using Bff.Dev.Upstreams.Data;

namespace Bff.Dev.Upstreams;

/// <summary>Reads <c>?ids=p-1,p-2</c>: the known ids in the requested order, at most a hundred.</summary>
internal static class Batch
{
    private const int MaxIds = 100;

    public static string[]? Ids(Exchange exchange) =>
        exchange.Request.Query.TryGetValue("ids", out var ids)
            ? ids.ToString().Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            : null;

    public static Task AnswerAsync(Exchange exchange, string[] ids, ReadOnlyMemory<byte>[] documents) =>
        ids.Length > MaxIds
            ? Answer.ProblemAsync(exchange, 400, "too_many_ids", $"At most {MaxIds} ids in one request.")
            : Answer.ItemsAsync(exchange, [.. Shop.IndexesOf(ids).Select(index => documents[index])]);
}
