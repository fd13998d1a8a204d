using Bff.Requests;

namespace PartnerBff.OpenApi;

/// <summary>What the contract says of an operation beside its types; endpoint metadata.</summary>
/// <param name="Summary">One line.</param>
/// <param name="Description">What a partner's developer has to know; Markdown.</param>
internal sealed record OperationDoc(string Summary, string Description)
{
    /// <summary>Of the request's body; null: none.</summary>
    public Type? Body { get; init; }

    /// <summary>False when the operation also works without a body.</summary>
    public bool IsBodyRequired { get; init; } = true;

    /// <summary>A request's body.</summary>
    public string? BodyExample { get; init; }

    /// <summary>The answer's body.</summary>
    public string? AnswerExample { get; init; }

    /// <summary>Whether <c>Idempotency-Key</c> is required (true), accepted (false) or means nothing (null).</summary>
    public bool? Key { get; init; }

    /// <summary>Whether a POST ends or replaces something, rather than to add to what there is; other methods say so themselves.</summary>
    public bool IsDestructive { get; init; }

    /// <summary>Whether it is a list with <c>limit</c> and <c>cursor</c>.</summary>
    public bool IsList { get; init; }

    /// <summary>Further query parameters with what they mean.</summary>
    public IReadOnlyDictionary<string, string> Query { get; init; } = new Dictionary<string, string>();

    /// <summary>Errors beside those that every operation can answer with.</summary>
    public IReadOnlyList<ProblemCode> Errors { get; init; } = [];
}

internal static class OperationDocExtensions
{
    /// <summary>Says what the contract shall say.</summary>
    public static TBuilder Documented<TBuilder>(this TBuilder builder, OperationDoc doc)
        where TBuilder : IEndpointConventionBuilder
    {
        builder.Add(endpoint => endpoint.Metadata.Add(doc));
        return builder;
    }
}
