using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Bff.Edge;
using Bff.OpenApi;
using Bff.Requests;
using Microsoft.AspNetCore.Http.Json;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace PartnerBff.OpenApi;

/// <summary>
/// Adds what partners' documents contain beyond the shared description: credentials, keys, pages, headers, and an example of every error.
/// </summary>
internal static class PartnerContract
{
    private static readonly ProblemCode[] Everywhere =
    [
        ProblemCodes.MissingToken,
        ProblemCodes.InvalidToken,
        ProblemCodes.TokenExpired,
        ProblemCodes.TokenRevoked,
        ProblemCodes.InvalidApiKey,
        ProblemCodes.InsufficientScope,
        ProblemCodes.AddressNotAllowed,
        ProblemCodes.EndpointNotInPlan,
        ProblemCodes.Forbidden,
        ProblemCodes.VersionRetired,
        ProblemCodes.TooManyFailedCredentials,
        ProblemCodes.RateLimitExceeded,
        ProblemCodes.QuotaExceeded,
        ProblemCodes.InternalError,
        ProblemCodes.Overloaded,
        ProblemCodes.StoreUnavailable,
    ];

    /// <summary>Adds two documents; each names its members as its answers do.</summary>
    /// <param name="builder">The host.</param>
    /// <param name="answers">The types of requests and answers.</param>
    public static WebApplicationBuilder AddPartnerContracts(this WebApplicationBuilder builder, IJsonTypeInfoResolver answers)
    {
        builder.Services.Configure<JsonOptions>(json => json.SerializerOptions.PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower);
        return builder
            .AddBffOpenApi("v1", "Partner API", answers, Describe, "1.0")
            .AddBffOpenApi("v2", "Partner API", answers, Describe, "2.0");
    }

    private static void Describe(OpenApiOptions options)
    {
        options.ShouldInclude = operation => operation.GroupName == options.DocumentName; // The portal's routes are not in it.
        options.AddDocumentTransformer(Describe);
        options.AddOperationTransformer(Describe);
    }

    private static Task Describe(OpenApiDocument document, OpenApiDocumentTransformerContext context, CancellationToken cancellation)
    {
        document.Info.Description = Texts.Introduction;
        document.Components ??= new OpenApiComponents();
        document.Components.SecuritySchemes ??= new Dictionary<string, IOpenApiSecurityScheme>();
        document.Components.SecuritySchemes["bearer"] = new OpenApiSecurityScheme
        {
            Type = SecuritySchemeType.Http,
            Scheme = "bearer",
            Description = "An API key (`pk_live_…`, `pk_test_…`) or an access token of a client-credentials grant.",
        };
        document.Components.SecuritySchemes["api_key"] = new OpenApiSecurityScheme
        {
            Type = SecuritySchemeType.ApiKey,
            In = ParameterLocation.Header,
            Name = "X-API-Key",
            Description = "An API key (`pk_live_…`, `pk_test_…`).",
        };
        return Task.CompletedTask;
    }

    private static async Task Describe(
        OpenApiOperation operation,
        OpenApiOperationTransformerContext context,
        CancellationToken cancellation
    )
    {
        if (context.Description.ActionDescriptor.EndpointMetadata.OfType<OperationDoc>().LastOrDefault() is not { } doc)
        {
            return;
        }

        operation.Summary = doc.Summary;
        operation.Description = doc.Description;
        operation.Parameters ??= [];
        AddParameters(operation.Parameters, doc);
        if (doc.Body is { } body)
        {
            var schema = await context.GetOrCreateSchemaAsync(body, null, cancellation);
            context.Document!.AddComponent(body.Name, schema);
            operation.RequestBody = new OpenApiRequestBody
            {
                Required = doc.IsBodyRequired,
                Content = new Dictionary<string, OpenApiMediaType>
                {
                    ["application/json"] = new()
                    {
                        Schema = new OpenApiSchemaReference(body.Name, context.Document),
                        Example = Parse(doc.BodyExample),
                    },
                },
            };
        }

        AddAnswers(operation, doc, context.Document!);
        if (operation.Security is { Count: > 0 } security)
        {
            security.Add(new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference("api_key", context.Document)] = [] });
        }
    }

    private static void AddParameters(IList<IOpenApiParameter> parameters, OperationDoc doc)
    {
        if (doc.Key is { } required)
        {
            parameters.Add(
                new OpenApiParameter
                {
                    Name = "Idempotency-Key",
                    In = ParameterLocation.Header,
                    Required = required,
                    Description = Texts.Key,
                    Schema = new OpenApiSchema
                    {
                        Type = JsonSchemaType.String,
                        MinLength = 1,
                        MaxLength = 255,
                    },
                    Example = "\"po-77-1\"",
                }
            );
        }

        if (doc.IsList)
        {
            parameters.Add(
                new OpenApiParameter
                {
                    Name = "limit",
                    In = ParameterLocation.Query,
                    Description = "Maximum number of entries in the page, at most 100. A larger number counts as 100.",
                    Schema = new OpenApiSchema
                    {
                        Type = JsonSchemaType.Integer,
                        Minimum = "1",
                        Default = 20,
                    },
                    Example = 20,
                }
            );
            parameters.Add(
                new OpenApiParameter
                {
                    Name = "cursor",
                    In = ParameterLocation.Query,
                    Description = "`next_cursor` of the previous page. A cursor is valid only for the same tenant and list.",
                    Schema = new OpenApiSchema { Type = JsonSchemaType.String },
                }
            );
        }

        foreach (var (name, meaning) in doc.Query)
        {
            parameters.Add(
                new OpenApiParameter
                {
                    Name = name,
                    In = ParameterLocation.Query,
                    Description = meaning,
                    Schema = new OpenApiSchema { Type = JsonSchemaType.String },
                }
            );
        }
    }

    private static void AddAnswers(OpenApiOperation operation, OperationDoc doc, OpenApiDocument document)
    {
        operation.Responses ??= [];
        foreach (var (status, response) in operation.Responses)
        {
            if (status[0] == '2' && response is OpenApiResponse good)
            {
                good.Headers = Headers(doc);
                if (
                    doc.AnswerExample is not null
                    && good.Content is { } contents
                    && contents.TryGetValue("application/json", out var content)
                    && content is OpenApiMediaType media
                )
                {
                    media.Example = Parse(doc.AnswerExample);
                }
            }
        }

        IEnumerable<ProblemCode> pages = doc.IsList ? [ProblemCodes.ValidationFailed, ProblemCodes.InvalidCursor] : [];
        IEnumerable<ProblemCode> keys = doc.Key is null
            ? []
            : [ProblemCodes.IdempotencyKeyRequired, ProblemCodes.IdempotencyInFlight, ProblemCodes.IdempotencyMismatch];
        IEnumerable<ProblemCode> bodies = doc.Body is null
            ? []
            :
            [
                ProblemCodes.MalformedRequest,
                ProblemCodes.ValidationFailed,
                ProblemCodes.PayloadTooLarge,
                ProblemCodes.UnsupportedMediaType,
            ];
        foreach (
            var status in doc
                .Errors.Concat(pages)
                .Concat(keys)
                .Concat(bodies)
                .Concat(Everywhere)
                .Distinct()
                .GroupBy(c => c.Status)
                .OrderBy(g => g.Key)
        )
        {
            operation.Responses[status.Key.ToString(CultureInfo.InvariantCulture)] = new OpenApiResponse
            {
                Description = string.Join("\n\n", status.Select(c => $"`{c.Code}`: {c.Explanation}")),
                Headers = status.Key is 429 or 503 or 409
                    ? new Dictionary<string, IOpenApiHeader>
                    {
                        ["Retry-After"] = Header("Seconds to wait before the request is repeated.", "2"),
                    }
                    : null,
                Content = new Dictionary<string, OpenApiMediaType>
                {
                    ["application/problem+json"] = new()
                    {
                        Schema = new OpenApiSchemaReference("Problem", document),
                        Examples = status.ToDictionary(c => c.Code, IOpenApiExample (c) => Shared(c, document)),
                    },
                },
            };
        }

        foreach (var status in operation.Responses.Keys.Where(s => s[0] is '4' or '5').ToList())
        {
            if (operation.Responses[status] is OpenApiResponse { Description: null or "" })
            {
                operation.Responses.Remove(status);
            }
        }
    }

    private static OpenApiExampleReference Shared(ProblemCode code, OpenApiDocument document)
    {
        document.AddComponent<IOpenApiExample>(code.Code, new OpenApiExample { Summary = code.Title, Value = Example(code) });
        return new OpenApiExampleReference(code.Code, document);
    }

    private static Dictionary<string, IOpenApiHeader> Headers(OperationDoc doc)
    {
        var headers = new Dictionary<string, IOpenApiHeader>
        {
            ["X-Request-Id"] = Header("Id of the request. Give it to support.", "01a1f2c3d4e5f60718293a4b5c6d7e8f"),
            ["RateLimit-Policy"] = Header("Rate limits that apply to the caller.", "\"burst\";q=500;w=6"),
            ["RateLimit"] = Header("Units that remain of these limits.", "\"burst\";r=499;t=1"),
        };
        if (doc.Key is not null)
        {
            headers["Idempotent-Replayed"] = Header("`true` if this is the stored answer of an earlier request with the same key.", "true");
        }

        if (doc.IsList)
        {
            headers["Link"] = Header(
                "Address of the next page (`rel=\"next\"`). Absent on the last page.",
                "<https://partner-api.example.com/v1/orders?cursor=…>; rel=\"next\""
            );
        }

        return headers;
    }

    private static OpenApiHeader Header(string description, string example) =>
        new()
        {
            Description = description,
            Schema = new OpenApiSchema { Type = JsonSchemaType.String },
            Example = example,
        };

    private static JsonObject Example(ProblemCode code)
    {
        var example = new JsonObject
        {
            ["type"] = "https://partner-api.example.com/problems/" + code.Code,
            ["title"] = code.Title,
            ["status"] = code.Status,
            ["detail"] = code.Explanation,
            ["instance"] = "/v1/orders",
            ["code"] = code.Code,
            ["requestId"] = "01a1f2c3d4e5f60718293a4b5c6d7e8f",
            ["traceId"] = "4bf92f3577b34da6a3ce929d0e0e4736",
        };
        if (code == ProblemCodes.ValidationFailed)
        {
            example["errors"] = new JsonObject { ["items[0].quantity"] = new JsonArray("Must be a whole number from 1 to 1000000.") };
        }

        return example;
    }

    private static JsonNode? Parse(string? json) => json is null ? null : JsonNode.Parse(json);
}
