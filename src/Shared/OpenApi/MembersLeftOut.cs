using System.Text.Json.Serialization;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Bff.OpenApi;

/// <summary>Marks members as not required if they are left out when they have no value.</summary>
internal static class MembersLeftOut
{
    public static Task Describe(OpenApiSchema schema, OpenApiSchemaTransformerContext context, CancellationToken cancellation)
    {
        foreach (var property in context.JsonTypeInfo.Properties)
        {
            if (
                schema.Required is { } required
                && property.AttributeProvider?.GetCustomAttributes(typeof(JsonIgnoreAttribute), inherit: true)
                    is [
                        JsonIgnoreAttribute { Condition: JsonIgnoreCondition.WhenWritingNull or JsonIgnoreCondition.WhenWritingDefault },
                        ..,
                    ]
            )
            {
                required.Remove(property.Name);
            }
        }

        return Task.CompletedTask;
    }
}
