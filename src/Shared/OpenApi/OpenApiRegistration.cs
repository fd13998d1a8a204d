using System.Text.Json.Serialization.Metadata;
using System.Text.RegularExpressions;
using Bff.Requests;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http.Json;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.OpenApi;

namespace Bff.OpenApi;

/// <summary>
/// Describes a host's endpoints as OpenAPI 3.1, served at <c>/openapi/&lt;name&gt;.json</c> and written to <c>contracts/</c> by the build.
/// </summary>
public static class OpenApiRegistration
{
    /// <summary>Registers one document.</summary>
    /// <param name="builder">The host.</param>
    /// <param name="documentName">
    /// The document's name, such as <c>mobile</c>. Endpoints with another group name (<c>WithGroupName</c>) are not in it.
    /// </param>
    /// <param name="title">The document's title.</param>
    /// <param name="answers">The host's source-generated metadata. Schemas are made from what it serializes with.</param>
    /// <param name="configure">Adds the host's own options.</param>
    /// <param name="version">
    /// The version of the API. Its major part (before the dot) changes if a client of the previous document would break.
    /// </param>
    public static WebApplicationBuilder AddBffOpenApi(
        this WebApplicationBuilder builder,
        string documentName,
        string title,
        IJsonTypeInfoResolver answers,
        Action<OpenApiOptions>? configure = null,
        string version = "1.0"
    )
    {
        builder.Services.Configure<JsonOptions>(json =>
        {
            // Without this, schemas would also allow strings for numbers.
            json.SerializerOptions.NumberHandling = System.Text.Json.Serialization.JsonNumberHandling.Strict;
            json.SerializerOptions.TypeInfoResolverChain.Insert(0, answers);
            json.SerializerOptions.TypeInfoResolverChain.Insert(1, ProblemDocumentJson.Default);
        });
        builder.Services.AddSingleton(new OpenApiDocumentName(documentName));
        builder.Services.AddOpenApi(
            documentName,
            options =>
            {
                options.OpenApiVersion = OpenApiSpecVersion.OpenApi3_1;
                options.AddDocumentTransformer(
                    (document, _, _) =>
                    {
                        document.Info = new OpenApiInfo { Title = title, Version = version };
                        document.Servers?.Clear(); // Each environment has its own address.
                        return Task.CompletedTask;
                    }
                );
                options.CreateSchemaReferenceId = static type =>
                    type.Type == typeof(ProblemDocument) ? "Problem" : OpenApiOptions.CreateDefaultSchemaReferenceId(type);
                options.AddSchemaTransformer(MembersLeftOut.Describe);
                options.AddOperationTransformer(DescribedParameters.Describe);
                options.AddOperationTransformer(ProblemAnswers.Describe);
                options.AddOperationTransformer(Credentials.Describe);
                options.AddDocumentTransformer(Credentials.Describe);
                configure?.Invoke(options);
            }
        );
        return builder;
    }

    /// <summary>
    /// Serves every registered document to anonymous callers at <c>/openapi/{documentName}.json</c>. Another name matches no route, because
    /// the framework's own 404 is not a problem document.
    /// </summary>
    public static IEndpointConventionBuilder MapBffOpenApi(this WebApplication app)
    {
        var names = string.Join('|', app.Services.GetServices<OpenApiDocumentName>().Select(d => Regex.Escape(d.Name)));
        return app.MapOpenApi($"/openapi/{{documentName:regex(^({names})$)}}.json").AllowAnonymous().Named("openapi");
    }
}

/// <summary>The name of a document of this host.</summary>
internal sealed record OpenApiDocumentName(string Name);
